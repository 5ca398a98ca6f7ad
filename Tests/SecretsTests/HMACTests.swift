import Secrets
import Testing

@Suite struct HMACTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let number: Int
        let key: [UInt8]
        let text: [UInt8]
        let code: [UInt8]
        var testDescription: String { "test case \(number)" }
    }

    private static let longKey = [UInt8](repeating: 0xAA, count: 131)

    static let vectors = [
        Vector(
            number: 1, key: [UInt8](repeating: 0x0B, count: 20), text: Array("Hi There".utf8),
            code: hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")),
        Vector(
            number: 2, key: Array("Jefe".utf8), text: Array("what do ya want for nothing?".utf8),
            code: hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")),
        Vector(
            number: 3, key: [UInt8](repeating: 0xAA, count: 20), text: [UInt8](repeating: 0xDD, count: 50),
            code: hex("773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe")),
        Vector(
            number: 4, key: Array(1...25), text: [UInt8](repeating: 0xCD, count: 50),
            code: hex("82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b")),
        Vector(
            number: 6, key: longKey, text: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            code: hex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")),
        Vector(
            number: 7, key: longKey,
            text: Array(
                ("This is a test using a larger than block-size key and a larger than block-size data. The key needs "
                    + "to be hashed before being used by the HMAC algorithm.").utf8),
            code: hex("9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2")),
    ]

    /// RFC 4231 § 4; test case 5 is about codes cut short, which do not exist here.
    @Test(arguments: vectors)
    func `a code is the one that RFC 4231 publishes`(_ vector: Vector) {
        #expect(HMACSHA256.code(of: vector.text, key: SecretBytes(vector.key)) == vector.code)
        #expect(HMACSHA256.verify(vector.code, of: vector.text, key: SecretBytes(vector.key)))
    }

    /// By Python's `hmac`: a key of a whole block is taken as it is, a longer one is hashed.
    @Test(arguments: [
        (64, "ca4b38c785f022b315a30756a8b67bb6d1a120928467e11a03484aae674f8a6e"),
        (65, "9a9bbf0cd7b05ab4b97a0885a73033ef010495ce906118df9c079b64a80a4fbd"),
    ])
    func `a key of about a block has its code`(_ length: Int, _ code: String) {
        let key = SecretBytes([UInt8](repeating: 0xAA, count: length))
        #expect(HMACSHA256.code(of: Array("key of a block".utf8), key: key) == hex(code))
    }

    @Test func `an empty key and an empty text have a code`() {
        let code = hex("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
        #expect(HMACSHA256.code(of: [], key: SecretBytes([])) == code)
    }

    /// The same context must not remember a key.
    @Test func `an empty key is not the one before it`() {
        let before = HMACSHA256.code(of: [1], key: SecretBytes([1, 2, 3]))
        #expect(HMACSHA256.code(of: [1], key: SecretBytes([])) != before)
    }

    @Test func `a code that is altered, cut short or another's is refused`() {
        let key = SecretBytes([1, 2, 3])
        let code = HMACSHA256.code(of: [4, 5], key: key)
        for place in code.indices {
            var altered = code
            altered[place] ^= 1
            #expect(!HMACSHA256.verify(altered, of: [4, 5], key: key))
        }
        #expect(!HMACSHA256.verify(Array(code.prefix(16)), of: [4, 5], key: key))
        #expect(!HMACSHA256.verify([], of: [4, 5], key: key))
        #expect(!HMACSHA256.verify(code, of: [4, 6], key: key))
        #expect(!HMACSHA256.verify(code, of: [4, 5], key: SecretBytes([1, 2])))
    }
}
