public import Formats

/// The end of a flow without a popup: a web address, or one of a native app's own scheme (RFC 8252 § 7.1).
public struct ReturnURL: Hashable, Sendable {
    /// The address; that of the web with its origin normalised.
    public let text: String
    /// The page's origin; `nil` for an app's own scheme.
    public let origin: Origin?

    /// Reads an address of at most 2048 bytes; `nil` for one that is not absolute, has a fragment or user information,
    /// or a scheme that browsers act on themselves (such as `javascript`).
    public init?(_ text: some StringProtocol) {
        if let url = StrictURL(text) {
            self.text = url.text
            origin = url.origin
            return
        }
        guard text.utf8.count <= 2048, text.utf8.allSatisfy(StrictURL.isPlain),
            let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), Self.isAppScheme(text[..<colon]),
            Self.isAppAddress(text[text.utf8.index(after: colon)...])
        else { return nil }
        self.text = String(text)
        origin = nil
    }

    /// Tells whether its scheme has no dot: any app may claim such a one. RFC 8252 § 7.1 wants a domain name, reversed.
    /// The configuration's reader warns of it.
    public var hasUnownedScheme: Bool {
        origin == nil && text.utf8.prefix { $0 != UInt8(ascii: ":") }.contains(UInt8(ascii: ".")) == false
    }

    /// Schemes that browsers act on themselves: some run what follows as a script.
    private static let browsersOwn: Set = [
        "about", "blob", "chrome", "data", "file", "filesystem", "ftp", "http", "https", "intent", "javascript",
        "mailto", "resource", "vbscript", "view-source", "ws", "wss",
    ]

    /// Tells whether it is a scheme (RFC 3986 § 3.1) in lower case, and none of the browsers' own.
    private static func isAppScheme(_ scheme: some StringProtocol) -> Bool {
        guard let first = scheme.utf8.first, (0x61...0x7A).contains(first), scheme.utf8.count <= 64,
            scheme.utf8.allSatisfy({
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2B || $0 == 0x2D || $0 == 0x2E
            })
        else { return false }
        return !browsersOwn.contains(String(scheme))
    }

    private static func isAppAddress(_ rest: some StringProtocol) -> Bool {
        guard rest.hasPrefix("//") else { return !rest.isEmpty }
        let authority = rest.utf8.dropFirst(2).prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        return rest.utf8.count > 2 && !authority.contains(UInt8(ascii: "@"))
    }
}
