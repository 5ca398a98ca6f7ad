/// Reads single scalars of a text in UTF-8.
enum UTF8Scalar {
    /// The scalar at `position`, and its bytes. A byte that begins none counts as U+FFFD, so that any bytes are text.
    static func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, at position: Int, before end: Int
    ) -> (Unicode.Scalar, count: Int) {
        let first = bytes[position]
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        let count = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        guard (0xC2...0xF4).contains(first), position + count <= end else { return ("\u{FFFD}", 1) }
        var value = UInt32(first) & (0x7F >> UInt32(count))
        for offset in 1..<count {
            let byte = bytes[position + offset]
            guard byte & 0xC0 == 0x80 else { return ("\u{FFFD}", 1) }
            value = value << 6 | UInt32(byte & 0x3F)
        }
        guard let scalar = Unicode.Scalar(value) else { return ("\u{FFFD}", 1) }
        return (scalar, count)
    }
}
