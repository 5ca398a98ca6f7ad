import Secrets
import Testing

@Suite struct SealedTests {
    private enum Letter {}

    private let ring: KeyRing
    private let text = Array("the content".utf8)
    private let context = Array("the context".utf8)
    private let secret = SecretBytes(Array("a second secret".utf8))
    private let label = Label("test")

    init() throws {
        ring = try KeyRing(TestKeys.ring)
    }

    /// The layout that stores keep for years. The bytes were made by another implementation.
    @Test func `what another implementation sealed opens`() throws {
        let stored = hex("01026b31101112131415161718191a1bdf7bed0ce9181af4ab3398e5cfb5be8bc4db5a65e280d22cac1fdd")
        let opened = try ring.open(Sealed<Letter>(stored: stored), as: label, context: context, under: secret)
        #expect(opened.expose { $0 } == text)
    }

    @Test(arguments: [0, 1, 15, 16, 17, 4096, 100_000])
    func `content of every length comes back`(_ count: Int) throws {
        let content = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let sealed: Sealed<Letter> = ring.seal(SecretBytes(content), as: label, context: context, under: secret)
        #expect(try ring.open(sealed, as: label, context: context, under: secret).expose { $0 } == content)
    }

    @Test func `an empty context and no second secret are enough`() throws {
        let sealed: Sealed<Letter> = ring.seal(SecretBytes(text), as: label, context: [])
        #expect(try ring.open(sealed, as: label, context: []).expose { $0 } == text)
    }

    /// NIST SP 800-38D § 8: a nonce must not come twice under one key.
    @Test func `the same content sealed again has other bytes and another nonce`() {
        let sealed = (0..<1000).map { _ in seal().bytes }
        #expect(Set(sealed).count == sealed.count)
        #expect(Set(sealed.map { Array($0[4..<16]) }).count == sealed.count)
    }

    @Test func `sealed bytes do not hold the content`() {
        let bytes = String(decoding: seal().bytes, as: Unicode.ASCII.self)
        #expect(!bytes.contains("content"))
    }

    @Test func `another label does not open`() {
        #expect(fault(seal(), as: Label("tests")) == .notAuthentic)
    }

    @Test(arguments: ["", "the contex", "the context ", "The context"])
    func `another context does not open`(_ context: String) {
        #expect(fault(seal(), context: Array(context.utf8)) == .notAuthentic)
    }

    @Test(arguments: ["", "a second secre", "a second secret ", "A second secret"])
    func `another secret does not open`(_ secret: String) {
        #expect(fault(seal(), under: SecretBytes(Array(secret.utf8))) == .notAuthentic)
    }

    @Test func `another master key of the same name does not open`() throws {
        let other = try KeyRing("k1:\(TestKeys.second.dropFirst(3))")
        #expect(fault(seal(), in: other) == .notAuthentic)
    }

    @Test func `a flipped bit anywhere does not open`() {
        let bytes = seal().bytes
        for place in bytes.indices {
            for bit in 0..<8 {
                var altered = bytes
                altered[place] ^= 1 << bit
                #expect(fault(Sealed(stored: altered)) != nil, "byte \(place), bit \(bit)")
            }
        }
    }

    @Test func `an altered nonce, text or tag is not authentic`() {
        let bytes = seal().bytes
        for place in 4..<bytes.count {
            var altered = bytes
            altered[place] ^= 0xFF
            #expect(fault(Sealed(stored: altered)) == .notAuthentic)
        }
    }

    @Test func `bytes cut off at any length do not open`() {
        let bytes = seal().bytes
        for count in 0..<bytes.count { #expect(fault(Sealed(stored: Array(bytes.prefix(count)))) != nil) }
    }

    @Test func `bytes too short for a tag are malformed`() {
        let bytes = seal().bytes
        for count in 0..<(4 + 12 + 16) {
            #expect(fault(Sealed(stored: Array(bytes.prefix(count)))) == .malformed)
        }
    }

    @Test func `bytes with something after them do not open`() {
        #expect(fault(Sealed(stored: seal().bytes + [0])) == .notAuthentic)
    }

    @Test(arguments: [0, 2, 255] as [UInt8])
    func `another version is malformed`(_ version: UInt8) {
        #expect(fault(Sealed(stored: [version] + seal().bytes.dropFirst())) == .malformed)
    }

    @Test(arguments: [[], [0xFF], [0x20], Array("a/b".utf8), Array(repeating: 0x61, count: 33)] as [[UInt8]])
    func `a key name that none can have is malformed`(_ name: [UInt8]) {
        let rest = [UInt8](repeating: 0, count: 40)
        #expect(fault(Sealed(stored: [1, UInt8(name.count)] + name + rest)) == .malformed)
    }

    @Test func `a master key that is not in the ring is named`() throws {
        let sealed = seal()
        let later = try KeyRing(TestKeys.second)
        #expect(fault(sealed, in: later) == .unknownKey(try #require(KeyRing.KeyID("k1"))))
    }

    @Test func `the first key seals`() {
        #expect(Array(seal().bytes.prefix(4)) == [1, 2] + Array("k1".utf8))
    }

    @Test func `a key that is no longer the first still opens`() throws {
        let sealed = seal()
        let rotated = try KeyRing("k3:\(TestKeys.second.dropFirst(3))\n\(TestKeys.first)")
        #expect(try rotated.open(sealed, as: label, context: context, under: secret).expose { $0 } == text)
    }

    @Test func `bytes named after another key of the ring do not open`() {
        var altered = seal().bytes
        altered[3] = UInt8(ascii: "2")
        #expect(fault(Sealed(stored: altered)) == .notAuthentic)
    }

    private func seal() -> Sealed<Letter> {
        ring.seal(SecretBytes(text), as: label, context: context, under: secret)
    }

    private func fault(
        _ sealed: Sealed<Letter>, in ring: KeyRing? = nil, as label: Label? = nil, context: [UInt8]? = nil,
        under secret: SecretBytes? = nil
    ) -> OpenError? {
        do throws(OpenError) {
            _ = try (ring ?? self.ring).open(
                sealed, as: label ?? self.label, context: context ?? self.context, under: secret ?? self.secret)
            return nil
        } catch {
            return error
        }
    }
}
