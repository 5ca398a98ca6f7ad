/// A host in an operator's list, perhaps with a port; in place of one label of it, `*` stands for any one label.
public struct HostPattern: Hashable, Sendable, CustomStringConvertible {
    /// The text of the configuration.
    public let description: String
    private let pattern: OriginPattern
    private let hasPort: Bool

    /// `nil` unless `text` is a host in lower case such as `mcp.example.com`, `*.mcp.example.com` or `127.0.0.1:8080`:
    /// no scheme and no path. Behind a `*` there are two labels at least.
    public init?(_ text: some StringProtocol) {
        let text = String(text)
        description = text
        // What follows a slash would be read as a path.
        guard !text.utf8.contains(UInt8(ascii: "/")), let pattern = OriginPattern("https://\(text)") else { return nil }
        self.pattern = pattern
        hasPort = Self.host(Array(text.utf8)) != text.utf8.count
    }

    /// Tells whether an address is at the host; at any of its ports where the pattern names none. http counts as https:
    /// which of them may be is another's to say.
    public func matches(_ url: StrictURL) -> Bool {
        let authority = Array(url.authority.utf8)
        let length = hasPort ? authority.count : Self.host(authority)
        return Origin("https://\(String(decoding: authority.prefix(length), as: UTF8.self))").map(pattern.matches)
            ?? false
    }

    /// The number of bytes before the port.
    private static func host(_ authority: [UInt8]) -> Int {
        let digits = authority.reversed().prefix { (0x30...0x39).contains($0) }.count
        let colon = authority.count - digits - 1
        return digits > 0 && colon > 0 && authority[colon] == UInt8(ascii: ":") ? colon : authority.count
    }
}
