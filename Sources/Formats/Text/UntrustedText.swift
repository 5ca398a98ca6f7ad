extension String {
    /// Reads text that a stranger sent; `nil` where it is not UTF-8, or where more than 128 marks follow one another.
    ///
    /// Swift hashes and compares texts in their normal form, and sorts each run of combining marks for it, in a time
    /// that grows with the square of their number: half a million in one run, which a mebibyte holds, take minutes.
    /// The Stream-Safe Text Format (Unicode Standard Annex 15 § 13) has at most 30; no sensible text has a hundred.
    package init?(untrusted bytes: some Collection<UInt8>) {
        // In one piece where it is: a generic check of sequences takes several times as long.
        let text = bytes.withContiguousStorageIfAvailable { bytes in
            try? String(copying: UTF8Span(validating: bytes.span))
        }
        guard let text = text ?? String(validating: bytes, as: UTF8.self) else { return nil }
        self = text
        // No mark is below U+0300, and few texts go beyond it.
        if utf8.everyByte({ $0 < 0xCC }) { return }
        var marks = 0
        for scalar in unicodeScalars {
            marks = scalar.isMark ? marks + 1 : 0
            if marks > Self.longestRun { return nil }
        }
    }

    private static let longestRun = 128

    /// Makes untrusted text readable whatever it is: for people to read, and never for decisions.
    ///
    /// A byte that is no UTF-8 is read as ISO 8859-1 has it, which is what old programs write; where that has no letter
    /// either, U+FFFD stands for it. So what was repaired is never ASCII alone. Of a run of marks 128 stay.
    package init(repairing bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        // In bytes: a view of scalars grows by as much as each append needs.
        var text: [UInt8] = []
        var (rest, position, marks) = (bytes.makeIterator(), 0, 0)
        var parser = Unicode.UTF8.ForwardParser()
        while position < bytes.count {
            switch parser.parseScalar(from: &rest) {
            case .valid(let encoded):
                let scalar = Unicode.UTF8.decode(encoded)
                marks = scalar.isMark ? marks + 1 : 0
                if marks <= Self.longestRun { text += encoded }
                position += encoded.count
            case .error(let length):
                for byte in bytes[position..<position + length] {
                    text += byte < 0xA0 ? [0xEF, 0xBF, 0xBD] : [0xC0 | byte >> 6, 0x80 | byte & 0x3F]
                }
                marks = 0
                position += length
            case .emptyInput: position = bytes.count
            }
        }
        self.init(decoding: text, as: UTF8.self)
    }

    /// The beginning of the text, of at most `count` bytes, without half a scalar at its end. By bytes: a `Character`
    /// may be of any length, and to count them takes long where there are many marks.
    package func prefix(bytes count: Int) -> String {
        guard utf8.count > count else { return self }
        var end = utf8.index(startIndex, offsetBy: count)
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(unicodeScalars[..<end])
    }
}

extension Unicode.Scalar {
    fileprivate var isMark: Bool {
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: true
        default: false
        }
    }
}
