/// Percent-encoding for URLs and form bodies.
package enum Percent {
    private static let hex = [UInt8]("0123456789ABCDEF".utf8)

    /// Encodes all bytes but the unreserved characters (RFC 3986 § 2.3): the result fits anywhere in a URL or form
    /// body.
    package static func encode(_ text: some StringProtocol) -> String {
        if text.utf8.everyByte(isUnreserved) { return String(text) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count * 2)
        append(String(text), to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        var text = text
        text.withUTF8 { utf8 in
            if utf8.everyByte(isUnreserved) { return bytes.append(contentsOf: utf8) }
            for byte in utf8 {
                if isUnreserved(byte) {
                    bytes.append(byte)
                } else {
                    bytes.append(0x25)
                    bytes.append(hex[Int(byte >> 4)])
                    bytes.append(hex[Int(byte & 0xF)])
                }
            }
        }
    }

    /// A request target with its bytes beyond ASCII percent-encoded (RFC 3986 § 2.1); the others stay as they are.
    package static func ascii(_ target: String) -> String {
        if target.utf8.everyByte({ $0 < 0x80 }) { return target }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(target.utf8.count * 3)
        for byte in target.utf8 {
            bytes += byte < 0x80 ? [byte] : [0x25, hex[Int(byte >> 4)], hex[Int(byte & 0xF)]]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The escape of a byte (RFC 3986 § 2.1).
    package static func escape(_ byte: UInt8) -> [UInt8] { [0x25, hex[Int(byte >> 4)], hex[Int(byte & 0xF)]] }

    /// The byte whose two digits `bytes` begins with; `nil` where they are none.
    package static func octet(_ bytes: ArraySlice<UInt8>) -> UInt8? {
        let digits = bytes.prefix(2).compactMap(digit)
        return digits.count == 2 ? digits[0] << 4 | digits[1] : nil
    }

    /// The pairs as `application/x-www-form-urlencoded`, in their order. A space is `%20`, which every reader accepts.
    package static func form(_ pairs: [(name: String, value: String)]) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        for (name, value) in pairs {
            if !bytes.isEmpty { bytes.append(UInt8(ascii: "&")) }
            append(name, to: &bytes)
            bytes.append(UInt8(ascii: "="))
            append(value, to: &bytes)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The pairs of a query or form body, in their order, empty ones left out; `nil` where an escape is malformed, or a
    /// name or value is no text that `String(untrusted:)` takes.
    package static func pairs(_ text: some StringProtocol) -> [(name: String, value: String)]? {
        var text = String(text)
        return text.withUTF8(pairs)
    }

    private static func pairs(_ text: UnsafeBufferPointer<UInt8>) -> [(name: String, value: String)]? {
        var pairs: [(name: String, value: String)] = []
        for (name, value) in split(text) {
            guard let name = decode(name), let value = decode(value) else { return nil }
            pairs.append((name, value))
        }
        return pairs
    }

    /// The pairs of a query or form body, whatever its bytes are: what cannot be decoded is repaired, and says so.
    package static func repairedPairs(_ bytes: [UInt8]) -> [FormPair] {
        bytes.withUnsafeBufferPointer { bytes in
            split(bytes).map { name, value in
                let (name, value) = (unescaped(name), unescaped(value))
                return FormPair(name.bytes, value.bytes, isWhole: name.isWhole && value.isWhole)
            }
        }
    }

    private typealias Piece = Slice<UnsafeBufferPointer<UInt8>>

    private static func split(_ text: UnsafeBufferPointer<UInt8>) -> [(name: Piece, value: Piece)] {
        var pairs: [(name: Piece, value: Piece)] = []
        var start = 0
        while start < text.count {
            let end = text[start...].firstIndex(of: UInt8(ascii: "&")) ?? text.count
            if end > start {
                let equals = text[start..<end].firstIndex(of: UInt8(ascii: "=")) ?? end
                pairs.append((text[start..<equals], text[min(equals + 1, end)..<end]))
            }
            start = end + 1
        }
        return pairs
    }

    private static func decode(_ bytes: Piece) -> String? {
        guard bytes.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(untrusted: bytes)
        }
        let (decoded, isWhole) = unescaped(bytes)
        return isWhole ? String(untrusted: decoded) : nil
    }

    /// - Returns: `isWhole` is false where a percent sign begins no escape. It stays then, as browsers leave it.
    private static func unescaped(_ bytes: Piece) -> (bytes: [UInt8], isWhole: Bool) {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var isWhole = true
        var rest = bytes
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): decoded.append(0x20)
            case UInt8(ascii: "%"):
                let digits = rest.prefix(2).compactMap(digit)
                if digits.count == 2 {
                    decoded.append(digits[0] << 4 | digits[1])
                    rest = rest.dropFirst(2)
                } else {
                    decoded.append(byte)
                    isWhole = false
                }
            default: decoded.append(byte)
            }
        }
        return (decoded, isWhole)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }

    /// Tells whether the byte is an unreserved character (RFC 3986 § 2.3).
    package static func isUnreserved(_ byte: UInt8) -> Bool {
        byte.isASCIILetterOrDigit || byte == 0x2D || byte == 0x2E || byte == 0x5F || byte == 0x7E
    }
}
