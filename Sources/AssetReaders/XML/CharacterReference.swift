import Formats

/// A character written as `&#8364;`, `&#x20AC;` or `&euro;` (XML 1.0 § 4.1, HTML § 13.5).
enum CharacterReference {
    /// The language that a reference stands in.
    enum Language {
        case xml
        /// There the semicolon may be left out, and numbers from 128 to 159 mean windows-1252 (HTML § 13.2.5.80).
        case html
    }

    /// The most bytes that one takes, from `&` to `;`. The longest of the names has 31 letters.
    static let longest = 40

    /// The text of `bytes`, which are UTF-8, with its references replaced. What is no reference stays as it is.
    ///
    /// - Parameter spacesForControls: puts a space for each tab and line end, as in attributes (XML 1.0 § 3.3.3).
    static func replaced(in bytes: ArraySlice<UInt8>, spacesForControls: Bool = false) -> String {
        let isPlain = bytes.allSatisfy { $0 != UInt8(ascii: "&") && (!spacesForControls || $0 >= 0x20) }
        if isPlain { return String(decoding: bytes, as: UTF8.self) }
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var position = bytes.startIndex
        while position < bytes.endIndex {
            let byte = bytes[position]
            if byte == UInt8(ascii: "&"), let (text, end) = read(bytes[position...], in: .xml) {
                output += text.utf8
                position = end
            } else {
                output.append(spacesForControls && byte < 0x20 ? 0x20 : byte)
                position += 1
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The reference at the beginning of `bytes`, and the place behind it; `nil` where there is none.
    static func read(_ bytes: ArraySlice<UInt8>, in language: Language) -> (text: String, end: Int)? {
        let body = bytes.dropFirst().prefix(longest - 1)
        return body.first == UInt8(ascii: "#")
            ? number(body.dropFirst(), in: language) : CharacterNames.read(body, in: language)
    }

    /// U+FFFD where there is no such character, so that no number makes a NUL.
    private static func number(_ body: ArraySlice<UInt8>, in language: Language) -> (text: String, end: Int)? {
        let isHexadecimal = (body.first ?? 0) | 0x20 == UInt8(ascii: "x")
        let rest = isHexadecimal ? body.dropFirst() : body
        let digits = rest.prefix { $0.hexadecimalDigit.map { $0 < (isHexadecimal ? 16 : 10) } ?? false }
        guard !digits.isEmpty else { return nil }
        let hasSemicolon = rest.dropFirst(digits.count).first == UInt8(ascii: ";")
        guard hasSemicolon || language == .html else { return nil }
        var number: UInt32 = 0
        for digit in digits {
            // Beyond Unicode it may only grow.
            number = min(number, 0x11_0000) * (isHexadecimal ? 16 : 10) + UInt32(digit.hexadecimalDigit ?? 0)
        }
        let text = character(number, in: language)
        return (text, digits.endIndex + (hasSemicolon ? 1 : 0))
    }

    private static func character(_ number: UInt32, in language: Language) -> String {
        if language == .html, (0x80..<0xA0).contains(number) {
            return Windows1252.character(UInt8(number))
        }
        guard number != 0, let scalar = Unicode.Scalar(number) else { return "\u{FFFD}" }
        return String(scalar)
    }
}

extension UInt8 {
    /// 0 to 15.
    fileprivate var hexadecimalDigit: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46, 0x61...0x66: (self | 0x20) - 0x61 + 10
        default: nil
        }
    }
}
