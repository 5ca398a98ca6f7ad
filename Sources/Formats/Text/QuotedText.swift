extension String {
    /// The first 60 scalars of the text in quotation marks, for a message on one line: scalars that act on a terminal
    /// are spaces, and `…` says that there was more.
    package var quoted: String {
        let short = unicodeScalars.prefix(60)
        let printable = String(String.UnicodeScalarView(short.map { $0.isActive ? " " : $0 }))
        return "\"\(printable)\(short.endIndex == endIndex ? "" : "…")\""
    }

    /// ` (did you mean "…"?)` where one of `candidates` differs in one letter or at most a third of them; else an empty
    /// text.
    package func guess(among candidates: [String]) -> String {
        guard utf8.count < 64 else { return "" }
        let scored = candidates.map { ($0, Self.distance(Array(lowercased().utf8), Array($0.lowercased().utf8))) }
        guard let best = scored.min(by: { $0.1 < $1.1 }), best.1 <= max(1, utf8.count / 3) else { return "" }
        return " (did you mean \"\(best.0)\"?)"
    }

    /// Levenshtein's edit distance in bytes.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let above = row[j + 1]
                row[j + 1] = a == b ? diagonal : Swift.min(diagonal, above, row[j]) + 1
                diagonal = above
            }
        }
        return row[right.count]
    }
}
