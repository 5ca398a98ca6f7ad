/// The form of UTF-8 (RFC 3629 § 4).
enum UTF8Text {
    static func isValid(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { bytes in
            var position = 0
            while position < bytes.count {
                if bytes[position] < 0x80 {
                    position = endOfASCII(from: position, of: bytes)
                    continue
                }
                guard let length = sequence(at: position, of: bytes) else { return false }
                position += length
            }
            return true
        }
    }

    /// The first place from `position` on at which no ASCII stands, or at which it was not looked at; eight bytes at a
    /// time, as most text is ASCII.
    private static func endOfASCII(from position: Int, of bytes: UnsafeBufferPointer<UInt8>) -> Int {
        let raw = UnsafeRawBufferPointer(bytes)
        var position = position + 1
        while position + 8 <= raw.count,
            raw.loadUnaligned(fromByteOffset: position, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
        {
            position += 8
        }
        return position
    }

    /// The text with U+FFFD for each byte that belongs to no sequence; `nil` where it is longer than `limit`.
    static func repaired(_ bytes: ArraySlice<UInt8>, atMost limit: Int) -> [UInt8]? {
        bytes.withUnsafeBufferPointer { bytes in
            var output: [UInt8] = []
            output.reserveCapacity(bytes.count)
            var position = 0
            while position < bytes.count {
                guard output.count <= limit else { return nil }
                if let length = sequence(at: position, of: bytes) {
                    output += bytes[position..<position + length]
                    position += length
                } else {
                    output += replacement
                    position += 1
                }
            }
            return output.count <= limit ? output : nil
        }
    }

    /// U+FFFD.
    static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    /// The length of the sequence that begins at `position`; `nil` where none does.
    private static func sequence(at position: Int, of bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        let first = bytes[position]
        if first < 0x80 { return 1 }
        let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        guard (0xC2...0xF4).contains(first), position + length <= bytes.count else { return nil }
        guard secondBytes(after: first).contains(bytes[position + 1]) else { return nil }
        for offset in 2..<max(length, 2) where bytes[position + offset] & 0xC0 != 0x80 { return nil }
        return length
    }

    /// Without those of overlong forms, surrogates and numbers beyond Unicode.
    private static func secondBytes(after first: UInt8) -> ClosedRange<UInt8> {
        switch first {
        case 0xE0: 0xA0...0xBF
        case 0xED: 0x80...0x9F
        case 0xF0: 0x90...0xBF
        case 0xF4: 0x80...0x8F
        default: 0x80...0xBF
        }
    }
}
