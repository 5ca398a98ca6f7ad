import Broker
import Formats
import Secrets

/// The first-party cookie that proves which browser began a flow. Each flow has one of its own: of one name, a second
/// tab's would replace the first's (RFC 6265 § 5.3).
struct BindingCookies {
    let publicURL: StrictURL

    private var isSecure: Bool { publicURL.text.hasPrefix("https://") }

    /// `__Host-` makes browsers refuse it from other hosts and plain http; on http (trials) it cannot be used.
    func name(_ flow: FlowID) -> String {
        (isSecure ? "__Host-" : "") + "cloakroom_flow_\(flow)"
    }

    func setting(_ flow: FlowID, to value: BindingCookie, seconds: Int64) -> String {
        value.expose { "\(name(flow))=\($0); \(attributes); Max-Age=\(seconds)" }
    }

    func removal(_ flow: FlowID) -> String {
        "\(name(flow))=; \(attributes); Max-Age=0"
    }

    private var attributes: String {
        "Path=/; HttpOnly; SameSite=Lax" + (isSecure ? "; Secure" : "")
    }
}
