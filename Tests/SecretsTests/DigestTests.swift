import Secrets
import Testing

@Suite struct DigestTests {
    /// FIPS 180-4, with NIST's example messages of one, two and four blocks and none.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
                + "nopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
    ])
    func `a text has the digest that NIST publishes`(_ message: String, _ digest: String) {
        #expect(Digest(of: message).bytes == hex(digest))
        #expect(Digest(of: Array(message.utf8)).bytes == hex(digest))
    }

    /// FIPS 180-4, with NIST's long message.
    @Test func `a million letters have the digest that NIST publishes`() {
        let digest = hex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        #expect(Digest(of: [UInt8](repeating: 0x61, count: 1_000_000)).bytes == digest)
    }

    @Test func `the digest of a text is that of its UTF-8`() {
        #expect(Digest(of: "Überraschung \u{1F511}") == Digest(of: Array("Überraschung \u{1F511}".utf8)))
    }

    @Test func `two spellings of one letter have two digests`() {
        #expect(Digest(of: "\u{E9}") != Digest(of: "e\u{301}"))
    }

    @Test func `a digest matches itself and no other`() {
        #expect(Digest(of: "a").matches(Digest(of: "a")))
        #expect(!Digest(of: "a").matches(Digest(of: "b")))
    }
}

@Suite struct ConstantTimeEqualTests {
    @Test(arguments: [0, 1, 31, 32, 33, 4096])
    func `equal bytes are equal`(_ count: Int) {
        #expect(constantTimeEqual([UInt8](repeating: 7, count: count), [UInt8](repeating: 7, count: count)))
    }

    @Test(arguments: 0..<32)
    func `bytes that differ in one place are not equal`(_ place: Int) {
        let bytes = [UInt8](repeating: 0, count: 32)
        var other = bytes
        other[place] = 0x80
        #expect(!constantTimeEqual(bytes, other))
        #expect(!constantTimeEqual(other, bytes))
    }

    @Test func `bytes are not equal to a part of them`() {
        let bytes: [UInt8] = [1, 2, 3]
        #expect(!constantTimeEqual(bytes, [1, 2]))
        #expect(!constantTimeEqual([1, 2], bytes))
        #expect(!constantTimeEqual(bytes, []))
        #expect(!constantTimeEqual([], bytes))
    }

    @Test func `bytes are not equal to longer ones that end in zeros`() {
        #expect(!constantTimeEqual([1, 2], [1, 2, 0]))
    }
}
