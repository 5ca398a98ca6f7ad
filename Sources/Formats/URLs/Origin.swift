/// The origin of a page: scheme, host and port, serialised as browsers do (RFC 6454 § 6.2).
public struct Origin: Hashable, Sendable, CustomStringConvertible {
    /// The serialisation, as an `Origin` header has it: `https://app.example.com`, with a port unless it is the usual
    /// one.
    public let description: String

    /// `nil` unless `text` is exactly an http or https origin: no path, no user information, no upper case,
    /// no default port.
    public init?(_ text: some StringProtocol) {
        let text = String(text)
        guard let url = StrictURL(text), url.rest.isEmpty, url.origin.description == text else { return nil }
        self = url.origin
    }

    /// Of text that was an origin's: one that this program wrote down before.
    package init(unchecked text: String) {
        description = text
    }
}
