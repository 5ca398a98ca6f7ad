import Secrets
import Testing

/// How two processes come to a secret by what everybody may read.
@Suite struct KeyAgreementTests {
    @Test func `two sides make the same secret, and each pair another`() throws {
        let (one, two, three) = (KeyAgreement(), KeyAgreement(), KeyAgreement())
        let secret = try #require(one.shared(with: two.publicKey))
        #expect(try #require(two.shared(with: one.publicKey)).matches(secret))
        #expect(try !#require(three.shared(with: two.publicKey)).matches(secret))
        #expect(one.publicKey.count == 65 && one.publicKey != two.publicKey)
    }

    /// SP 800-56A § 5.6.2.3: a point that is not on the curve may give the private key away.
    @Test func `what is no point on the curve makes none`() {
        let one = KeyAgreement()
        var point = KeyAgreement().publicKey
        point[64] ^= 1
        for bytes in [point, [], Array(point.dropLast()), [UInt8](repeating: 0, count: 65), [0]] {
            #expect(one.shared(with: bytes) == nil)
        }
    }
}
