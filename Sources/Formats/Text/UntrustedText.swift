extension String {
    /// Reads text that a stranger sent; `nil` where it is not UTF-8, or where more than 128 marks follow one another.
    ///
    /// Swift hashes and compares texts in their normal form, and sorts each run of combining marks for it, in a time
    /// that grows with the square of their number: half a million in one run, which a mebibyte holds, take minutes.
    /// The Stream-Safe Text Format (Unicode Standard Annex 15 § 13) has at most 30; no sensible text has a hundred.
    package init?(untrusted bytes: some Collection<UInt8>) {
        self.init(validating: bytes, as: UTF8.self)
        // No mark is below U+0300, and few texts go beyond it.
        guard utf8.contains(where: { $0 >= 0xCC }) else { return }
        var marks = 0
        for scalar in unicodeScalars {
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .spacingMark, .enclosingMark: marks += 1
            default: marks = 0
            }
            if marks > 128 { return nil }
        }
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
