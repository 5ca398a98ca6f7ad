import COpenSSL
import Testing

@Suite struct AuthenticatedEncryptionTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let number: Int
        let key: [UInt8]
        let nonce: [UInt8]
        var context: [UInt8] = []
        let text: [UInt8]
        /// Cipher text, then tag.
        let sealed: [UInt8]
        var testDescription: String { "test case \(number)" }
    }

    private static let key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")
    private static let nonce = hex("cafebabefacedbaddecaf888")
    private static let text = hex(
        """
        d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
        1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255
        """)
    private static let cipher = hex(
        """
        522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
        8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad
        """)

    static let vectors = [
        Vector(
            number: 13, key: [UInt8](repeating: 0, count: 32), nonce: [UInt8](repeating: 0, count: 12), text: [],
            sealed: hex("530f8afbc74536b9a963b4f1c4cb738b")),
        Vector(
            number: 14, key: [UInt8](repeating: 0, count: 32), nonce: [UInt8](repeating: 0, count: 12),
            text: [UInt8](repeating: 0, count: 16),
            sealed: hex("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")),
        Vector(
            number: 15, key: key, nonce: nonce, text: text, sealed: cipher + hex("b094dac5d93471bdec1a502270e3cc6c")),
        Vector(
            number: 16, key: key, nonce: nonce, context: hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
            text: Array(text.prefix(60)), sealed: cipher.prefix(60) + hex("76fc6ece0f4e1768cddf8853bb2d551b")),
    ]

    /// NIST SP 800-38D; McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B.
    @Test(arguments: vectors)
    func `sealing gives the published cipher text and tag`(_ vector: Vector) {
        var output = [UInt8](repeating: 0, count: vector.text.count + 16)
        let done = cloakroom_aes256gcm_seal(
            vector.key, vector.nonce, vector.context, vector.context.count, vector.text, vector.text.count, &output)
        #expect(done == 1)
        #expect(output == vector.sealed)
    }

    @Test(arguments: vectors)
    func `opening gives the published text`(_ vector: Vector) {
        #expect(open(vector, vector.sealed) == vector.text)
    }

    @Test(arguments: vectors)
    func `a flipped bit in any byte does not open`(_ vector: Vector) {
        for place in vector.sealed.indices {
            var altered = vector.sealed
            altered[place] ^= 1
            #expect(open(vector, altered) == nil)
        }
    }

    /// NIST SP 800-38D § 7.2: nothing of the text may come out before the tag is known to be right.
    @Test func `what did not open leaves no text behind`() {
        let vector = Self.vectors[2]
        var altered = vector.sealed
        altered[altered.count - 1] ^= 1
        var output = [UInt8](repeating: 0xAA, count: vector.text.count)
        let done = cloakroom_aes256gcm_open(
            vector.key, vector.nonce, vector.context, vector.context.count, altered, vector.text.count, &output)
        #expect(done == 0)
        #expect(output == [UInt8](repeating: 0, count: vector.text.count))
    }

    private func open(_ vector: Vector, _ sealed: [UInt8]) -> [UInt8]? {
        // One byte more than is needed, so that an empty text has an address too.
        var output = [UInt8](repeating: 0, count: vector.text.count + 1)
        let done = cloakroom_aes256gcm_open(
            vector.key, vector.nonce, vector.context, vector.context.count, sealed, vector.text.count, &output)
        return done == 1 ? Array(output.dropLast()) : nil
    }
}
