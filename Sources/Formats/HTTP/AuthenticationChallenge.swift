/// A challenge of a `WWW-Authenticate` header (RFC 9110 § 11.6.1), in which a server says how to be asked.
package struct AuthenticationChallenge: Equatable, Sendable {
    /// The scheme, in lower case.
    package let scheme: String
    /// By their names in lower case; of two of a name the first.
    package fileprivate(set) var parameters: [String: String] = [:]

    /// Reads the challenges of all headers of a response, in their order. What is no challenge is passed over; a header
    /// of more than 8 KiB is none. Linear in the bytes.
    package static func read(_ values: some Sequence<String>) -> [AuthenticationChallenge] {
        var challenges: [AuthenticationChallenge] = []
        for value in values where value.utf8.count <= 8192 {
            var reader = ChallengeReader(Array(value.utf8))
            challenges += reader.challenges()
        }
        return challenges
    }
}

/// Reads one header, byte by byte.
private struct ChallengeReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func challenges() -> [AuthenticationChallenge] {
        var found: [AuthenticationChallenge] = []
        while true {
            skip { $0 == 0x20 || $0 == 0x09 || $0 == UInt8(ascii: ",") }
            guard position < bytes.count else { return found }
            let word = take(while: Self.isOfWords)
            guard !word.isEmpty else {
                // Nothing that may stand here, such as a quotation mark.
                position += 1
                continue
            }
            if let value = value() {
                // Before any scheme it is nobody's.
                guard !found.isEmpty else { continue }
                let name = Self.lowercased(word)
                let last = found.count - 1
                if found[last].parameters[name] == nil { found[last].parameters[name] = value }
            } else {
                found.append(AuthenticationChallenge(scheme: Self.lowercased(word)))
            }
        }
    }

    /// The value of the parameter whose name was just read; `nil` where that was no name.
    private mutating func value() -> String? {
        let start = position
        skip { $0 == 0x20 || $0 == 0x09 }
        guard position < bytes.count, bytes[position] == UInt8(ascii: "=") else {
            position = start
            return nil
        }
        position += 1
        skip { $0 == 0x20 || $0 == 0x09 }
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            // Servers leave the quotation marks out also where an address needs them.
            return text(take { $0 != 0x20 && $0 != 0x09 && $0 != UInt8(ascii: ",") })
        }
        position += 1
        return quoted()
    }

    /// RFC 9110 § 5.6.4, up to the closing mark, or to the end where it is missing.
    private mutating func quoted() -> String {
        var value: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\"), position < bytes.count {
                value.append(bytes[position])
                position += 1
            } else {
                value.append(byte)
            }
        }
        return text(value)
    }

    private func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    private mutating func skip(_ isSkipped: (UInt8) -> Bool) {
        while position < bytes.count, isSkipped(bytes[position]) { position += 1 }
    }

    private mutating func take(while isTaken: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = position
        skip(isTaken)
        return bytes[start..<position]
    }

    /// `token` and `token68` alike (RFC 9110 § 5.6.2 and § 11.2): credentials of another scheme read as a scheme of
    /// their own, or as a parameter that nobody asks for.
    private static func isOfWords(_ byte: UInt8) -> Bool {
        byte.isASCIILetterOrDigit || "!#$%&'*+-.^_`|~/".utf8.contains(byte)
    }

    private static func lowercased(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}
