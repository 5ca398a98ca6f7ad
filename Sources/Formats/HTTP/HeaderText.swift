/// What may stand in an HTTP header (RFC 9110 § 5.1, § 5.5).
package enum HeaderText {
    /// Headers that say where a message goes or ends: never an entry's business.
    package static let framing: Set = [
        "host", "connection", "content-length", "transfer-encoding", "expect", "te", "trailer", "upgrade",
    ]

    package static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0.isASCIILetterOrDigit || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }

    package static func isValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
    }
}
