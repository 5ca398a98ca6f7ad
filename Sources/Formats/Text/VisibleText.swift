extension StringProtocol {
    /// The text on one line, as it may go to a terminal or a text log. Written as `\u{1B}` are the characters that act
    /// there (ESC and the other controls, C0 and C1), those that hide or turn the text around them (format characters,
    /// those for writing from right to left among them), and those that end a line.
    package var visible: String { visible(keepingLines: false) }

    /// The same, but for line feeds: for lines that the program makes, into which others' text goes by `visible`.
    package var visibleLines: String { visible(keepingLines: true) }

    private func visible(keepingLines: Bool) -> String {
        if utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return String(self) }
        return replacingScalars { scalar in
            guard scalar.isActive, !(keepingLines && scalar == "\n") else { return nil }
            return "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        }
    }

    /// JSON in which nothing acts on a terminal: such characters can only stand in its texts, and are escaped there
    /// (RFC 8259 § 7). Line feeds between its members stay.
    package var visibleJSON: String {
        if utf8.allSatisfy({ $0 < 0x7F }) { return String(self) }
        return replacingScalars { scalar in
            guard scalar.isActive, scalar != "\n" else { return nil }
            return String(scalar).utf16.map { unit in
                let digits = String(unit, radix: 16)
                return "\\u\(String(repeating: "0", count: 4 - digits.utf8.count))\(digits)"
            }.joined()
        }
    }

    /// Replaces the scalars for which `replacement` is not `nil`. Over bytes: each append to a view of scalars would
    /// copy all of it.
    private func replacingScalars(_ replacement: (Unicode.Scalar) -> String?) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(utf8.count)
        for scalar in unicodeScalars {
            if let text = replacement(scalar) { bytes += text.utf8 } else { bytes += String(scalar).utf8 }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Unicode.Scalar {
    /// Tells whether it does something to a terminal or to the text around it, other than being seen.
    package var isActive: Bool {
        if value < 0x80 { return value < 0x20 || value == 0x7F }
        return switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
