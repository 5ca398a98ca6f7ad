import Testing

@testable import Sandbox

struct SHA256Tests {
    /// FIPS 180-4's examples, and lengths around the padding's edge.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ])
    func `the digest matches the published examples`(message: String, digest: String) {
        let bytes = SHA256.digest(Array(message.utf8))
        #expect(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == digest)
    }

    /// RFC 7636 appendix B.
    @Test func `a verifier's digest in base64url is its challenge`() {
        #expect(Base64URL.encode(SHA256.digest(Array(Visitor.verifier.utf8))) == Visitor.challenge)
    }

    /// RFC 4648 § 10, without the padding.
    @Test(arguments: zip(["", "f", "fo", "foo", "foob"], ["", "Zg", "Zm8", "Zm9v", "Zm9vYg"]))
    func `base64url has no padding`(text: String, encoded: String) {
        #expect(Base64URL.encode(Array(text.utf8)) == encoded)
    }
}
