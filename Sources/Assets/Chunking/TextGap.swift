/// A place between two characters, by what ends there. The later one is the better end of a chunk.
enum TextBorder: Int, Comparable {
    case withinGrapheme
    case withinWord
    case word
    case sentence
    case line
    case paragraph

    static func < (left: TextBorder, right: TextBorder) -> Bool { left.rawValue < right.rawValue }
}

/// What lies between two characters that are not white space, and what the first of them may end.
struct TextGap {
    private enum SentenceEnd {
        case none
        /// It ends a sentence if white space follows: `.` also stands in numbers and names.
        case beforeSpace
        /// It ends a sentence: Chinese and Japanese have no white space between them.
        case anywhere
    }

    private var hasSpace = false
    private var lineEnds = 0
    private var sentenceEnd = SentenceEnd.none

    /// The gap at the beginning of a text.
    init() {}

    /// The gap behind a character.
    ///
    /// - Parameter gap: the one before the character: closing marks belong to the sentence before them.
    init(after grapheme: Grapheme, previous gap: TextGap) {
        let scalar = grapheme.scalar
        if scalar.isASCII, UInt8(truncatingIfNeeded: scalar.value).isPlain { return }
        if grapheme.scalar.endsSentenceBeforeSpace {
            sentenceEnd = .beforeSpace
        } else if grapheme.scalar.endsSentence {
            sentenceEnd = .anywhere
        } else if grapheme.scalar.closesQuotation, !gap.hasSpace {
            sentenceEnd = gap.sentenceEnd
        }
    }

    /// No sentence ends here, whatever follows, unless white space does.
    var isWithinWord: Bool { !hasSpace && sentenceEnd != .anywhere }

    /// An empty line, or a separator of paragraphs, is in it: nothing more can make it a better place.
    var endsParagraph: Bool { lineEnds >= 2 }

    mutating func add(_ space: Grapheme) {
        hasSpace = true
        switch space.scalar {
        case "\n", "\u{85}", "\u{2028}": lineEnds += 1
        case "\u{2029}": lineEnds += 2
        default: break
        }
    }

    func border(before grapheme: Grapheme) -> TextBorder {
        if endsParagraph { return .paragraph }
        if lineEnds > 0 { return .line }
        if hasSpace { return sentenceEnd == .none ? .word : .sentence }
        if grapheme.isContinuation { return .withinGrapheme }
        let next = grapheme.scalar
        let goesOn = next.closesQuotation || next.endsSentence || next.endsSentenceBeforeSpace
        return sentenceEnd == .anywhere && !goesOn ? .sentence : .withinWord
    }
}

extension Unicode.Scalar {
    fileprivate var endsSentenceBeforeSpace: Bool {
        switch self {
        // In other scripts: Devanagari, Urdu, Arabic, Armenian, Ethiopic.
        case ".", "!", "?", "…", "‼", "⁇", "⁈", "⁉", "।", "॥", "۔", "؟", "։", "።": true
        default: false
        }
    }

    fileprivate var endsSentence: Bool {
        switch self {
        case "。", "．", "！", "？", "｡", "︒", "﹒", "﹖", "﹗": true
        default: false
        }
    }

    fileprivate var closesQuotation: Bool {
        switch self {
        case "\"", "'", ")", "]", "}", "”", "’", "»", "›", "」", "』", "）", "】", "》", "〉", "〕", "］", "｝", "｣": true
        default: false
        }
    }
}
