/// The borders of graphemes (Unicode Standard Annex #29 § 3.1.1), looked at one by one.
///
/// Swift's own way over characters takes quadratic time on endless combining marks. Here a border costs a bounded look
/// back. In doubt it says no: where a rule depends on more than a few scalars, more is held together than must be.
enum GraphemeBreak {
    /// Tells whether a grapheme ends at `place`, which begins a scalar.
    static func isAllowed(at place: Int, in bytes: [UInt8], _ whole: Range<Int>) -> Bool {
        guard place > whole.lowerBound, place < whole.upperBound else { return true }
        let next = Scalar.at(place, in: bytes, whole.upperBound).scalar
        let start = Scalar.start(before: place, in: bytes, whole.lowerBound)
        let last = Scalar.at(start, in: bytes, whole.upperBound).scalar
        // GB3 to GB5.
        if last == "\r", next == "\n" { return false }
        if isControl(last) || isControl(next) { return true }
        // ASCII has no other rule.
        if last.isASCII, next.isASCII { return true }
        if extends(next) || last.value == joiner || isPrepended(last) { return false }
        if isHangul(last), isHangul(next) { return !isSyllable(last, next) }
        if isRegional(next), isRegional(last) { return isFlagEnd(place, in: bytes, whole) }
        return !isConjunct(start, next, in: bytes, whole)
    }

    private static let joiner: UInt32 = 0x200D

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    /// GB9, GB9a.
    private static func extends(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0x300 else { return false }
        let properties = scalar.properties
        return properties.isGraphemeExtend || properties.isEmojiModifier || scalar.value == joiner
            || properties.generalCategory == .spacingMark || scalar.value == 0x0E33 || scalar.value == 0x0EB3
    }

    /// GB9b.
    private static func isPrepended(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x600...0x605, 0x6DD, 0x70F, 0x890...0x891, 0x8E2, 0xD4E, 0x110BD, 0x110CD, 0x111C2...0x111C3, 0x1193F,
            0x11941, 0x11A3A, 0x11A84...0x11A89, 0x11D46, 0x11F02:
            true
        default: false
        }
    }

    // MARK: Hangul (GB6 to GB8)

    private static func isHangul(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x11FF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xD7B0...0xD7FB: true
        default: false
        }
    }

    private static func isSyllable(_ last: Unicode.Scalar, _ next: Unicode.Scalar) -> Bool {
        switch next.value {
        // A vowel or a final consonant.
        case 0x1160...0x11FF, 0xD7B0...0xD7FB: true
        // A leading consonant or a syllable goes on where a leading consonant came.
        default: (0x1100...0x115F).contains(last.value) || (0xA960...0xA97C).contains(last.value)
        }
    }

    // MARK: flags (GB12, GB13)

    private static func isRegional(_ scalar: Unicode.Scalar) -> Bool { (0x1F1E6...0x1F1FF).contains(scalar.value) }

    /// Flags are pairs. Longer rows of letters than any text has are held together.
    private static func isFlagEnd(_ place: Int, in bytes: [UInt8], _ whole: Range<Int>) -> Bool {
        var count = 0
        var end = place
        while count < 64, end > whole.lowerBound {
            let start = Scalar.start(before: end, in: bytes, whole.lowerBound)
            guard isRegional(Scalar.at(start, in: bytes, whole.upperBound).scalar) else { return count % 2 == 0 }
            count += 1
            end = start
        }
        return count < 64 && count % 2 == 0
    }

    // MARK: Indic conjuncts (GB9c)

    /// A letter behind a virama, with marks between them at most.
    private static func isConjunct(
        _ start: Int, _ next: Unicode.Scalar, in bytes: [UInt8], _ whole: Range<Int>
    ) -> Bool {
        guard next.value >= 0x900, next.properties.generalCategory == .otherLetter else { return false }
        var place = start
        for _ in 0..<8 {
            let scalar = Scalar.at(place, in: bytes, whole.upperBound).scalar
            guard extends(scalar) else { return false }
            if scalar.properties.canonicalCombiningClass == .virama { return true }
            guard place > whole.lowerBound else { return false }
            place = Scalar.start(before: place, in: bytes, whole.lowerBound)
        }
        return true
    }
}
