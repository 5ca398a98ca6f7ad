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

    /// Reads text that was an origin's when this program wrote it down: looks that it can still mean one origin and
    /// nothing else, at a small part of what it costs to read a stranger's.
    package init?(kept text: String) {
        let bytes = text.utf8
        let scheme = bytes.starts(with: "https://".utf8) ? 8 : bytes.starts(with: "http://".utf8) ? 7 : 0
        guard scheme > 0, bytes.count > scheme, bytes.dropFirst(scheme).everyByte(Self.isOfAuthority) else {
            return nil
        }
        description = text
    }

    /// True for what a host and a port are written with.
    private static func isOfAuthority(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "["),
            UInt8(ascii: "]"):
            true
        default: byte.isASCIILetterOrDigit
        }
    }

    init(unchecked text: String) {
        description = text
    }
}
