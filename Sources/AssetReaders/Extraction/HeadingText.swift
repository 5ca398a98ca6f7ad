/// The text of a heading or title, on one line.
enum HeadingText {
    /// The most scalars: a chunk tells all the headings above it, so that a long one would come back with each.
    private static let longest = 200

    /// `nil` where there is nothing but white space. White space is one space; what is beyond the bound is `…`.
    static func clean(_ bytes: some Collection<UInt8>) -> String? {
        // Four bytes for each scalar, and as much again for white space that goes.
        var scalars = String.UnicodeScalarView()
        var count = 0
        var wantsSpace = false
        for scalar in String(decoding: bytes.prefix(8 * longest), as: UTF8.self).unicodeScalars {
            if scalar.isWhiteSpace {
                wantsSpace = count > 0
                continue
            }
            count += wantsSpace ? 2 : 1
            guard count <= longest else {
                scalars.append("…")
                break
            }
            if wantsSpace { scalars.append(" ") }
            scalars.append(scalar)
            wantsSpace = false
        }
        return scalars.isEmpty ? nil : String(scalars)
    }
}

extension Unicode.Scalar {
    /// Has the property `White_Space`, which costs a search in tables beyond ASCII alone.
    fileprivate var isWhiteSpace: Bool {
        isASCII ? value == 0x20 || (0x09...0x0D).contains(value) : properties.isWhitespace
    }
}
