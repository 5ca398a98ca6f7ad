import Glibc

/// Makes UTF-8 of the bytes of a text: by its byte order mark, else by the declared charset, else as UTF-8 where that is
/// valid, else as windows-1252. Line ends become LF, the byte order mark goes.
enum TextDecoding {
    /// As many as a part of a Word document may have.
    private static let most = 128 << 20

    /// `nil` where it is no text, or too long.
    static func text(of bytes: [UInt8], charset: String?) -> [UInt8]? {
        try? text(of: bytes, charset: charset, atMost: most)
    }

    /// Throws where the text has NULs, which no text has.
    ///
    /// - Parameter limit: the most bytes of the text, if it has to be made: bytes that are none of the charset become three.
    static func text(of bytes: [UInt8], charset: String?, atMost limit: Int) throws(ExtractionFault) -> [UInt8] {
        let (encoding, markCount) = encoding(of: bytes, charset: charset)
        guard var text = encoding.decoded(bytes, skipping: markCount, atMost: limit) else { throw .tooMuchText }
        guard text.firstPlace(of: 0) == nil else { throw .notText }
        LineEnds.normalize(&text)
        return text
    }

    private static func encoding(of bytes: [UInt8], charset: String?) -> (TextEncoding, markCount: Int) {
        for (mark, encoding) in marks where bytes.starts(with: mark) { return (encoding, mark.count) }
        if let charset, let encoding = TextEncoding(label: charset) { return (encoding, 0) }
        return (UTF8Text.isValid(bytes) ? .utf8 : .windows1252, 0)
    }

    /// That of UTF-32 begins like that of UTF-16.
    private static let marks: [([UInt8], TextEncoding)] = [
        ([0xEF, 0xBB, 0xBF], .utf8),
        ([0xFF, 0xFE, 0x00, 0x00], .other("UTF-32LE")), ([0x00, 0x00, 0xFE, 0xFF], .other("UTF-32BE")),
        ([0xFF, 0xFE], .other("UTF-16LE")), ([0xFE, 0xFF], .other("UTF-16BE")),
    ]
}

extension [UInt8] {
    /// The first place of `byte` from `start` on. By the C library, which looks at many bytes at once.
    func firstPlace(of byte: UInt8, from start: Int = 0) -> Int? {
        withUnsafeBytes { bytes in
            guard start < bytes.count, let base = bytes.baseAddress else { return nil }
            return memchr(base + start, Int32(byte), bytes.count - start).map { UnsafeRawPointer($0) - base }
        }
    }
}
