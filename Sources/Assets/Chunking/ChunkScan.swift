/// Finds the beginnings and ends of chunks in a section.
struct ChunkScan {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let sectionEnd: Int
    private let chunker: Chunker

    init(_ bytes: UnsafeBufferPointer<UInt8>, sectionEnd: Int, chunker: Chunker) {
        self.bytes = bytes
        self.sectionEnd = sectionEnd
        self.chunker = chunker
    }

    /// The first character that is not white space.
    func firstVisible(from position: Int) -> Int? {
        var graphemes = graphemes(from: position)
        while let grapheme = graphemes.next() {
            if !grapheme.isWhiteSpace { return grapheme.start }
        }
        return nil
    }

    /// The end of the chunk that begins at `start`: the last of the best places within its size. `nil` where the
    /// character at `firstNew` does not fit.
    func end(from start: Int, beyond firstNew: Int) -> Int? {
        let limit = start + chunker.chunkBytes
        var best: (border: TextBorder, place: Int)?
        var gap = TextGap()
        var end = start
        var graphemes = graphemes(from: start)
        while let grapheme = graphemes.next() {
            if grapheme.isWhiteSpace {
                gap.add(grapheme)
                if grapheme.end > limit, gap.endsParagraph { break }
                continue
            }
            let border = gap.border(before: grapheme)
            if end > firstNew, border >= best?.border ?? .withinGrapheme { best = (border, end) }
            if grapheme.end > limit { return best?.place }
            end = grapheme.end
            gap = TextGap(after: grapheme, previous: gap)
            guard gap.isWithinWord else { continue }
            // Most of a text is words with a space between them: of the places within one, and of those between two,
            // only the last can count.
            while let rest = graphemes.skipPlain(before: limit) {
                (end, gap) = (rest, TextGap())
                let place = rest - 1
                if place > firstNew, best?.border ?? .withinGrapheme <= .withinWord { best = (.withinWord, place) }
                guard graphemes.skipSpace(before: limit) else { break }
                if rest > firstNew, best?.border ?? .withinGrapheme <= .word { best = (.word, rest) }
            }
        }
        return end > firstNew ? end : nil
    }

    /// The beginning of what a chunk shares with the next: the first of the best places that its overlap reaches. `nil`
    /// where they share nothing.
    func overlapStart(of chunk: Range<Int>) -> Int? {
        guard chunker.overlapBytes > 0, let firstNew = firstVisible(from: chunk.upperBound) else { return nil }
        // White space between the two takes no more than half of the next, which has to get on.
        let earliest = max(
            chunk.lowerBound + 1, chunk.upperBound - chunker.overlapBytes, firstNew - chunker.chunkBytes / 2)
        var best: (border: TextBorder, place: Int)?
        var gap = TextGap()
        var graphemes = graphemes(from: knownBorder(before: earliest, notBefore: chunk.lowerBound))
        while let grapheme = graphemes.next(), grapheme.start < chunk.upperBound {
            if grapheme.isWhiteSpace {
                gap.add(grapheme)
                continue
            }
            let border = gap.border(before: grapheme)
            if grapheme.start >= earliest, border > best?.border ?? .withinGrapheme { best = (border, grapheme.start) }
            gap = TextGap(after: grapheme, previous: gap)
        }
        return best?.place
    }

    /// A place between two characters near `position`, with no white space behind it: saves reading a chunk twice, where
    /// there is ASCII.
    private func knownBorder(before position: Int, notBefore start: Int) -> Int {
        var place = position - 1
        while place > start, place > position - 256 {
            let isVisible = bytes[place] > 0x20 && bytes[place] < 0x80
            if isVisible, bytes[place - 1] < 0x80 { return place }
            place -= 1
        }
        return start
    }

    private func graphemes(from position: Int) -> Graphemes {
        Graphemes(of: bytes, in: position..<sectionEnd, longest: chunker.chunkBytes)
    }
}
