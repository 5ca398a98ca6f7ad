import Glibc

/// Charsets by the C library's `iconv`.
enum CharsetConversion {
    /// The text as UTF-8, with U+FFFD for what is no text of the charset; as windows-1252 where the library does not
    /// know the charset.
    static func decoded(_ bytes: ArraySlice<UInt8>, from charset: String) -> [UInt8] {
        guard let converter = iconv_open("UTF-8", charset), Int(bitPattern: converter) != -1 else {
            return Windows1252.decoded(bytes)
        }
        defer { iconv_close(converter) }
        var input = Array(bytes)
        var output: [UInt8] = []
        output.reserveCapacity(input.count)
        let unit = charset.hasPrefix("UTF-16") ? 2 : charset.hasPrefix("UTF-32") ? 4 : 1
        input.withUnsafeMutableBytes { convert($0, by: converter, unit: unit, into: &output) }
        return output
    }

    /// - Parameter unit: the bytes that are passed over where no text begins.
    private static func convert(
        _ bytes: UnsafeMutableRawBufferPointer, by converter: iconv_t, unit: Int, into output: inout [UInt8]
    ) {
        var source = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        var left = bytes.count
        while left > 0 {
            let before = left
            let (written, failure) = piece { buffer, room in iconv(converter, &source, &left, &buffer, &room) }
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
    }

    /// Up to 16 KiB of output, and the error that ended it.
    private static func piece(
        _ convert: (inout UnsafeMutablePointer<CChar>?, inout Int) -> Int
    ) -> (written: [UInt8], failure: Int32) {
        var failure: Int32 = 0
        let written = [UInt8](unsafeUninitializedCapacity: 16384) { buffer, count in
            buffer.withMemoryRebound(to: CChar.self) { buffer in
                var place = buffer.baseAddress
                var room = buffer.count
                if convert(&place, &room) == -1 { failure = errno }
                count = buffer.count - room
            }
        }
        return (written, failure)
    }
}
