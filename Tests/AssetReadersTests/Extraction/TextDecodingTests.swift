import Testing

@testable import AssetReaders

struct TextDecodingTests {
    @Test(
        arguments: [
            ([0xEF, 0xBB, 0xBF, 0xC3, 0xA9], "é"), ([0xFF, 0xFE, 0xE9, 0x00], "é"), ([0xFE, 0xFF, 0x00, 0xE9], "é"),
            ([0xFF, 0xFE, 0x00, 0x00, 0xE9, 0x00, 0x00, 0x00], "é"), ([0xFF, 0xFE, 0x3D, 0xD8, 0x00, 0xDE], "😀"),
        ] as [([UInt8], String)])
    func `a byte order mark comes before any charset, and goes`(_ bytes: [UInt8], _ expected: String) {
        #expect(text(bytes, "shift_jis") == expected)
    }

    @Test(
        arguments: [
            ("iso-8859-1", [0xE9, 0x80], "é€"), ("windows-1252", [0x93, 0x81], "“\u{81}"),
            ("shift_jis", [0x8A, 0xBF], "漢"),
            ("windows-1251", [0xC6], "Ж"), ("gb2312", [0xD6, 0xD0], "中"), ("iso-8859-15", [0xA4], "€"),
            ("euc-kr", [0xB0, 0xA1], "가"), ("utf-16le", [0xE9, 0x00], "é"), ("UTF-8", [0xC3, 0xA9], "é"),
            ("iso-2022-jp", [0x1B, 0x24, 0x42, 0x34, 0x41, 0x1B, 0x28, 0x42], "漢"),
        ] as [(String, [UInt8], String)])
    func `a declared charset counts where there is no mark`(_ charset: String, _ bytes: [UInt8], _ expected: String) {
        #expect(text(bytes, charset) == expected)
    }

    @Test func `without a charset that is known it is UTF-8 where valid, else windows-1252`() {
        #expect(text([0xC3, 0xA9]) == "é")
        #expect(text([0xC3, 0xA9, 0xE9]) == "Ã©é")
        #expect(text([0xC3, 0xA9], "x-unheard-of") == "é")
        #expect(text([0xC3, 0xA9], "us-ascii") == "é")
        #expect(text([0xE9], "us-ascii//TRANSLIT") == "é")
    }

    /// RFC 3629 § 3 and § 4: overlong forms, surrogates and what is beyond U+10FFFF.
    @Test(
        arguments: [
            [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
            [0x80],
            [0xE2, 0x82], [0xF0, 0x9F, 0x98],
        ] as [[UInt8]])
    func `what is no UTF-8 is replaced where UTF-8 is declared`(_ bytes: [UInt8]) {
        let expected = "a" + String(repeating: "\u{FFFD}", count: bytes.count) + "b"
        #expect(text([0x61] + bytes + [0x62], "utf-8") == expected)
    }

    @Test func `half a pair of UTF-16 and a cut character are replaced, and the rest is read`() {
        #expect(text([0x00, 0xD8, 0x61, 0x00, 0x62], "utf-16le") == "\u{FFFD}a\u{FFFD}")
        #expect(text([0x61, 0x8A], "shift_jis") == "a\u{FFFD}")
    }

    @Test func `CRLF and CR are LF`() {
        #expect(text(Array("a\r\nb\rc\n\r\r\nd\r".utf8)) == "a\nb\nc\n\n\nd\n")
    }

    @Test func `text with NULs is none`() {
        #expect(text([0x61, 0x00]) == nil)
        #expect(text([0x61, 0x00], "iso-8859-1") == nil)
        #expect(text([0xFF, 0xFE, 0x00, 0x00]) == "")
        #expect(text([0xFF, 0xFE, 0x61, 0x00, 0x00, 0x00]) == nil)
    }

    @Test func `any bytes in any charset are text, or none`() {
        for label in ["utf-8", "utf-16le", "shift_jis", "euc-jp", "iso-2022-jp", "big5", "gb18030", "koi8-r", "cp866"] {
            for byte in UInt8.min...UInt8.max {
                guard let text = TextDecoding.text(of: [0x61, byte, 0x81, byte, byte], charset: label) else { continue }
                #expect(String(validating: text, as: UTF8.self) != nil)
            }
        }
    }

    /// Bytes that are no text of their charset become three each.
    @Test(arguments: ["utf-8", "windows-1252", "euc-jp", "koi8-r", "utf-16le"])
    func `a text that grows beyond its bounds is not made`(_ label: String) throws {
        let bytes = [UInt8](repeating: 0x80, count: 1000)
        let count = try TextDecoding.text(of: bytes, charset: label, atMost: 3000).count
        #expect(try TextDecoding.text(of: bytes, charset: label, atMost: count).count == count)
        #expect(throws: ExtractionFault.tooMuchText) {
            try TextDecoding.text(of: bytes, charset: label, atMost: count - 1)
        }
    }

    private func text(_ bytes: [UInt8], _ charset: String? = nil) -> String? {
        TextDecoding.text(of: bytes, charset: charset).map { String(decoding: $0, as: UTF8.self) }
    }
}
