import Formats
import Transport

/// The rules that a request must keep before libcurl sees it, so that no part of it can become another part.
struct RequestRules: Sendable {
    var allowInsecure: Bool

    func allow(_ request: TransportRequest) -> Bool {
        isAddress(request.url) && request.headers.allSatisfy { isHeader($0.name, $0.value) }
    }

    /// A complete address, in ASCII without space or control characters (RFC 3986 § 2). libcurl would guess a missing
    /// scheme, and drop or encode what does not belong.
    private func isAddress(_ url: String) -> Bool {
        guard hasScheme("https://", url) || (allowInsecure && hasScheme("http://", url)) else { return false }
        return url.utf8.everyByte { $0 > 0x20 && $0 < 0x7f }
    }

    private func hasScheme(_ scheme: StaticString, _ url: String) -> Bool {
        var bytes = url.utf8.makeIterator()
        return scheme.withUTF8Buffer { scheme in
            // Bit 0x20 is the letter's case; "/" and ":" have it set as they are.
            scheme.allSatisfy { expected in bytes.next().map { $0 | 0x20 } == expected }
        }
    }

    /// RFC 9110 § 5.1 and § 5.5. Line ends would begin another header; NUL would end the string for C.
    private func isHeader(_ name: String, _ value: String) -> Bool {
        HeaderText.isName(name)
            && value.utf8.everyByte { ($0 >= 0x20 && $0 != 0x7f) || $0 == UInt8(ascii: "\t") }
            && !HeaderText.framing.contains(name.lowercased())
    }
}
