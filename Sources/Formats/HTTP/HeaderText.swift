/// The rules for names and values of HTTP headers that the broker or a catalog sets (RFC 9110 § 5.1, § 5.5).
package enum HeaderText {
    /// Headers that frame or route the message are the transport's own: two opinions about where a body ends are how
    /// requests are smuggled (RFC 9112 § 11.2).
    package static let framing: Set = [
        "host", "connection", "content-length", "transfer-encoding", "expect", "te", "trailer", "upgrade",
    ]

    /// Tells whether `text` is a token (RFC 9110 § 5.6.2), in any letter case.
    package static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0.isASCIILetterOrDigit || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }

    /// Tells whether `text` is printable ASCII: narrower than RFC 9110 § 5.5, which also has tabs and bytes beyond
    /// ASCII.
    package static func isValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
    }
}
