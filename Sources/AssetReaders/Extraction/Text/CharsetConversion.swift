import Glibc

/// Charsets by the C library's `iconv`.
enum CharsetConversion {
    /// The text as UTF-8, with U+FFFD for what is no text of the charset; as windows-1252 where the library does not
    /// know the charset. `nil` where it is longer than `limit`.
    static func decoded(_ bytes: ArraySlice<UInt8>, from charset: String, atMost limit: Int) -> [UInt8]? {
        guard let converter = iconv_open("UTF-8", charset), Int(bitPattern: converter) != -1 else {
            return Windows1252.decoded(bytes, atMost: limit)
        }
        defer { iconv_close(converter) }
        var input = Array(bytes)
        let unit = charset.hasPrefix("UTF-16") ? 2 : charset.hasPrefix("UTF-32") ? 4 : 1
        return input.withUnsafeMutableBytes { convert($0, by: converter, unit: unit, atMost: limit) }
    }

    /// - Parameter unit: the bytes that are passed over where no text begins.
    private static func convert(
        _ bytes: UnsafeMutableRawBufferPointer, by converter: iconv_t, unit: Int, atMost limit: Int
    ) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        let piece = UnsafeMutableBufferPointer<CChar>.allocate(capacity: 16384)
        defer { piece.deallocate() }
        var source = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        var left = bytes.count
        while left > 0 {
            guard output.count <= limit else { return nil }
            let before = left
            var (place, room) = (piece.baseAddress, piece.count)
            let failure = iconv(converter, &source, &left, &place, &room) == -1 ? errno : 0
            let written = UnsafeRawBufferPointer(piece).prefix(piece.count - room)
            output += written
            switch failure {
            case 0: break
            // The piece is full.
            case E2BIG where left < before || !written.isEmpty: break
            default:
                // No text, or a sequence that the end cuts.
                output += UTF8Text.replacement
                let passed = min(unit, left)
                source = source?.advanced(by: passed)
                left -= passed
            }
        }
        return output.count <= limit ? output : nil
    }
}
