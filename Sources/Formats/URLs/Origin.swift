/// Where a frontend lives: scheme, host and port, serialised as browsers do (RFC 6454 § 6.2).
public struct Origin: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    /// `nil` unless `text` is exactly an http or https origin: no path, no user information, no upper case,
    /// no default port.
    public init?(_ text: some StringProtocol) {
        let text = String(text)
        guard let url = StrictURL(text), url.rest.isEmpty, url.origin.description == text else { return nil }
        self = url.origin
    }

    init(unchecked text: String) {
        description = text
    }
}
