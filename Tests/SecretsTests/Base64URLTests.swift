import Secrets
import Testing

@Suite struct Base64URLTests {
    /// RFC 4648 § 10, without the padding that § 5 leaves out here.
    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
    ])
    func `a text has the encoding of RFC 4648 § 10`(_ text: String, _ encoded: String) {
        #expect(Base64URL.encode(Array(text.utf8)) == encoded)
        #expect(Base64URL.decode(encoded) == Array(text.utf8))
    }

    /// RFC 7515 appendix C.
    @Test func `bytes have the encoding of RFC 7515 appendix C`() {
        #expect(Base64URL.encode([3, 236, 255, 224, 193]) == "A-z_4ME")
        #expect(Base64URL.decode("A-z_4ME") == [3, 236, 255, 224, 193])
    }

    @Test(arguments: 0..<100)
    func `bytes of every length come back`(_ count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }
        #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
    }

    @Test func `a part of a text decodes as a text does`() {
        #expect(Base64URL.decode("key_Zm9v".dropFirst(4)) == Array("foo".utf8))
    }

    /// RFC 4648 § 3.5: the bits beyond the last byte must be zero.
    @Test func `of all texts of two characters each byte has one`() {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        let decoded = alphabet.flatMap { first in alphabet.compactMap { Base64URL.decode("\(first)\($0)") } }
        #expect(decoded.count == 256)
        #expect(Set(decoded) == Set((0...255).map { [UInt8($0)] }))
    }

    /// RFC 4648 § 3.5, for two bytes in three characters.
    @Test(arguments: ["Zm9", "Zm-", "Zm_"])
    func `bits beyond the end are refused`(_ text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test(arguments: ["A", "AAAAA", "Zm9vY"])
    func `a length that no bytes have is refused`(_ text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    /// RFC 4648 § 3.2 and § 3.3.
    @Test(arguments: [
        "Zg==", "Zm8=", "=", "Zg=", "Zm9v\n", " Zm9v", "Zm 9v", "Zm\r\n9v", "Zm+v", "Zm/v", "Zm.v", "Zm9v\0",
        "\u{FF3A}g",
        "Zm\u{301}8", "Zm8\u{200B}", "\u{FEFF}Zm8", "Zm9é",
    ])
    func `padding and other characters are refused`(_ text: String) {
        #expect(Base64URL.decode(text) == nil)
    }
}
