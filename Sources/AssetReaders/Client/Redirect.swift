import Formats
import Transport

/// The rule for redirects (RFC 9110 § 15.4).
enum Redirect {
    /// Followed in a row, as many as RFC 9309 § 2.3.1.2 asks for.
    static let most = 5

    /// The redirect holds for now: what it was asked for is still at its own address (RFC 9110 § 15.4.3, § 15.4.4,
    /// § 15.4.8).
    static func isTemporary(_ response: TransportResponse) -> Bool { [302, 303, 307].contains(response.status) }

    static func isOne(_ response: TransportResponse) -> Bool {
        [301, 302, 303, 307, 308].contains(response.status)
    }

    /// The address that an answer leads on to; `nil` where it is no redirect, or one to nowhere.
    static func target(of response: TransportResponse, from address: WebAddress) -> WebAddress? {
        guard isOne(response) else { return nil }
        return response.header("location").flatMap { address.resolving($0) }
    }
}
