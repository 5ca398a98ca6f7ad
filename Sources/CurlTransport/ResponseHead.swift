/// The header fields of one response, read line by line as they arrive.
struct ResponseHead {
    /// The bytes of headers that a response may have, those of interim responses and trailers included.
    static let byteLimit = 64 * 1024

    /// Names in lower case, in the order they came.
    private(set) var fields: [(name: String, value: String)] = []
    private var byteCount = 0
    private var isComplete = false
    /// The head is one of an interim response (RFC 9110 § 15.2), after which another comes.
    private var isInterim = true
    /// The field before was left out, and so is what goes on with it.
    private var hasLeftOut = false

    /// True once the last response's fields are all there.
    var isFinal: Bool { isComplete && !isInterim }

    /// Reads one line with its line end. False once there are too many of them.
    mutating func read(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        byteCount += line.count
        guard byteCount <= Self.byteLimit else { return false }
        if isInterim, line.starts(with: Self.statusLine) {
            // Only the last response's fields count.
            isInterim = Self.isInterim(line)
            fields.removeAll(keepingCapacity: true)
            isComplete = false
            hasLeftOut = false
            return true
        }
        // What follows the body is a trailer, which must not pass for a header (RFC 9110 § 6.5.1).
        guard !isComplete else { return true }
        let content = Self.trimmed(line[...])
        if content.isEmpty {
            isComplete = true
        } else if Self.isSpace(line[0]) {
            unfold(content)
        } else {
            append(content)
        }
        return true
    }

    /// A line that begins with white space goes on with the one before (RFC 9112 § 5.2).
    private mutating func unfold(_ content: Slice<UnsafeBufferPointer<UInt8>>) {
        guard !fields.isEmpty, !hasLeftOut else { return }
        if Self.isASCII(content) {
            fields[fields.count - 1].value += " " + String(decoding: content, as: UTF8.self)
        } else {
            fields.removeLast()
            hasLeftOut = true
        }
    }

    /// A value that is not ASCII counts as absent: nothing that providers say in headers needs more (RFC 9110 § 5.5).
    private mutating func append(_ content: Slice<UnsafeBufferPointer<UInt8>>) {
        guard let colon = content.firstIndex(of: UInt8(ascii: ":")), colon > content.startIndex else { return }
        hasLeftOut = !Self.isASCII(content)
        guard !hasLeftOut else { return }
        let name = content[..<colon]
        let value = Self.trimmed(content[(colon + 1)...])
        fields.append((Self.lowercased(name), String(decoding: value, as: UTF8.self)))
    }

    private static func isASCII(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool { bytes.allSatisfy { $0 < 0x80 } }

    /// `HTTP/1.1 100 Continue`: the status has the form of RFC 9112 § 4, or libcurl takes no response.
    private static func isInterim(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        line.drop { $0 != UInt8(ascii: " ") }.dropFirst().first == UInt8(ascii: "1")
    }

    private static let statusLine = Array("HTTP/".utf8)

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
            || byte == UInt8(ascii: "\n")
    }

    private static func trimmed(
        _ bytes: Slice<UnsafeBufferPointer<UInt8>>
    ) -> Slice<UnsafeBufferPointer<UInt8>> {
        var bytes = bytes
        while let first = bytes.first, isSpace(first) { bytes.removeFirst() }
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
        return bytes
    }

    /// Header names are ASCII; `String.lowercased()` would fold all of Unicode, at its cost.
    private static func lowercased(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> String {
        String(unsafeUninitializedCapacity: bytes.count) { buffer in
            for (index, byte) in bytes.enumerated() {
                let isUpper = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
                buffer[index] = isUpper ? byte | 0x20 : byte
            }
            return bytes.count
        }
    }
}
