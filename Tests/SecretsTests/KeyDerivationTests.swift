import COpenSSL
import Secrets
import Testing

@Suite struct KeyDerivationTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let name: String
        let key: [UInt8]
        let salt: [UInt8]
        let info: [UInt8]
        let output: [UInt8]
        var testDescription: String { name }
    }

    static let vectors = [
        Vector(
            name: "test case 1", key: [UInt8](repeating: 0x0B, count: 22), salt: Array(0x00...0x0C),
            info: Array(0xF0...0xF9),
            output: hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")),
        Vector(
            name: "test case 2, longer", key: Array(0x00...0x4F), salt: Array(0x60...0xAF), info: Array(0xB0...0xFF),
            output: hex(
                """
                b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09
                da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87
                """)),
        Vector(
            name: "test case 3, without salt and info", key: [UInt8](repeating: 0x0B, count: 22), salt: [], info: [],
            output: hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")),
    ]

    /// RFC 5869 appendix A, test cases 1 to 3.
    @Test(arguments: vectors)
    func `the C function gives what RFC 5869 appendix A gives`(_ vector: Vector) {
        var output = [UInt8](repeating: 0, count: vector.output.count)
        let done = cloakroom_hkdf_sha256(
            vector.key, vector.key.count, vector.salt, vector.salt.count, vector.info, vector.info.count, &output,
            output.count)
        #expect(done == 1)
        #expect(output == vector.output)
    }

    /// The key is the input, the second secret the salt, and the label the info of RFC 5869 § 2.
    /// The expected bytes are another implementation's.
    @Test(arguments: [
        ("a second secret", "5032f2ebaa073406818f4635322a9f64fcbc35d0e836296ae7d714f492818041"),
        ("", "f1f90813ad3adb4a558549f0295bf025f10a0403da1085bd8aca2242bb49c281"),
    ])
    func `a key ring derives what another implementation derives`(_ secret: String, _ expected: String) throws {
        let ring = try KeyRing(TestKeys.ring)
        let derived = ring.derive(Label("test"), from: SecretBytes(Array(secret.utf8)), key: ring.primary)
        #expect(derived?.expose { $0 } == hex(expected))
    }

    @Test func `another label gives other bytes`() throws {
        let ring = try KeyRing(TestKeys.ring)
        #expect(derive(ring, Label("test")) != derive(ring, Label("tests")))
    }

    @Test func `another secret gives other bytes`() throws {
        let ring = try KeyRing(TestKeys.ring)
        #expect(derive(ring, from: [1]) != derive(ring, from: [2]))
    }

    @Test func `another master key gives other bytes`() throws {
        let ring = try KeyRing(TestKeys.ring)
        #expect(derive(ring, key: ring.ids[0]) != derive(ring, key: ring.ids[1]))
    }

    @Test func `a master key that is not in the ring gives nothing`() throws {
        let ring = try KeyRing(TestKeys.ring)
        let missing = try #require(KeyRing.KeyID("k9"))
        #expect(derive(ring, key: missing) == nil)
    }

    private func derive(
        _ ring: KeyRing, _ label: Label = Label("test"), from secret: [UInt8] = [], key: KeyRing.KeyID? = nil
    ) -> [UInt8]? {
        ring.derive(label, from: SecretBytes(secret), key: key ?? ring.primary)?.expose { $0 }
    }
}
