/// The charset of western Windows, by the Encoding Standard § 9.1: each byte is a character, so that any bytes are text.
enum Windows1252 {
    /// `nil` where the text is longer than `limit`.
    static func decoded(_ bytes: ArraySlice<UInt8>, atMost limit: Int) -> [UInt8]? {
        let count = bytes.reduce(0) { $0 + ($1 < 0x80 ? 1 : $1 < 0xA0 && special[Int($1 - 0x80)] >= 0x800 ? 3 : 2) }
        return count <= limit ? decoded(bytes, count: count) : nil
    }

    /// The character of a byte.
    static func character(_ byte: UInt8) -> String { String(decoding: decoded([byte], count: 3), as: UTF8.self) }

    private static func decoded(_ bytes: ArraySlice<UInt8>, count: Int) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(count)
        for byte in bytes {
            if byte < 0x80 {
                output.append(byte)
            } else if byte < 0xA0 {
                append(special[Int(byte - 0x80)], to: &output)
            } else {
                append(UInt16(byte), to: &output)
            }
        }
        return output
    }

    /// In UTF-8; `scalar` is from U+0080 on.
    private static func append(_ scalar: UInt16, to output: inout [UInt8]) {
        if scalar < 0x800 {
            output.append(0xC0 | UInt8(scalar >> 6))
        } else {
            output.append(0xE0 | UInt8(scalar >> 12))
            output.append(0x80 | UInt8(scalar >> 6 & 0x3F))
        }
        output.append(0x80 | UInt8(scalar & 0x3F))
    }

    /// Of 0x80 to 0x9F.
    private static let special: [UInt16] = [
        0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D,
        0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
        0x0153, 0x009D, 0x017E, 0x0178,
    ]
}
