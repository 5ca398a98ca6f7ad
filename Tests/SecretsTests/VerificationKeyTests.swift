import Secrets
import TestSupport
import Testing

@Suite struct VerificationKeyTests {
    private static let rsa = Published.rsaJWK
    private static let p256 = Published.p256JWK
    private static let ed25519 = Published.ed25519JWK

    private static func with(_ jwk: [String: String], _ members: [String: String?]) -> [String: String] {
        jwk.merging(members.compactMapValues(\.self)) { $1 }.filter { member in
            !members.contains { $0.key == member.key && $0.value == nil }
        }
    }

    /// RFC 7515 § A.2 to § A.4, RFC 7520 § 4.1 to § 4.3, RFC 8037 § A.5 (and the same by its name of RFC 9864 § 2.2).
    @Test(arguments: [
        (rsa, Published.rsaToken, SignatureAlgorithm.RS256), (p256, Published.p256Token, .ES256),
        (ed25519, Published.ed25519Token, .EdDSA), (Published.cookbookJWK, Published.cookbookRS256, .RS256),
        (Published.cookbookJWK, Published.cookbookPS384, .PS384), (Published.p521JWK, Published.p521Token, .ES512),
        (Published.cookbookP521JWK, Published.cookbookES512, .ES512), (ed25519, Published.ed25519Token, .Ed25519),
    ])
    func `a published signature is right, and wrong wherever it is altered`(
        _ jwk: [String: String], _ token: String, _ algorithm: SignatureAlgorithm
    ) throws {
        let key = try #require(VerificationKey(jwk: jwk))
        let parts = token.split(separator: ".")
        let text = Array("\(parts[0]).\(parts[1])".utf8)
        let signature = try #require(Base64URL.decode(parts[2]))
        #expect(key.verify(signature, of: text, with: algorithm))
        for place in signature.indices {
            var altered = signature
            altered[place] ^= 0x10
            #expect(!key.verify(altered, of: text, with: algorithm))
        }
        for length in 0..<signature.count {
            #expect(!key.verify(Array(signature.prefix(length)), of: text, with: algorithm))
        }
        #expect(!key.verify(signature + [0], of: text, with: algorithm))
        #expect(!key.verify([0] + signature, of: text, with: algorithm))
        #expect(!key.verify(signature, of: text + [0], with: algorithm))
        #expect(!key.verify(signature, of: [], with: algorithm))
        for other in SignatureAlgorithm.allCases where key.specified(other) != key.specified(algorithm) {
            #expect(!key.verify(signature, of: text, with: other))
        }
    }

    /// RFC 8032 § 7.4.
    @Test(arguments: [SignatureAlgorithm.Ed448, .EdDSA])
    func `the published signature of Ed448 is right, and wrong wherever it is altered`(
        _ algorithm: SignatureAlgorithm
    ) throws {
        let key = try #require(VerificationKey(jwk: Published.ed448JWK))
        #expect(key.verify(Published.ed448Signature, of: [3], with: algorithm))
        #expect(!key.verify(Published.ed448Signature, of: [4], with: algorithm))
        #expect(!key.verify(Published.ed448Signature, of: [3], with: .Ed25519))
        for place in Published.ed448Signature.indices {
            var altered = Published.ed448Signature
            altered[place] ^= 0x10
            #expect(!key.verify(altered, of: [3], with: algorithm))
        }
    }

    /// FIPS 180-4 and FIPS 202: the message "abc".
    @Test func `the digests are those that the algorithms rest on`() {
        let sha512 = hex(
            """
            ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e
            2a9ac94fa54ca49f
            """)
        let shake256 = hex(
            """
            483366601360a8771c6863080cc4114d8db44530f8f1e1ee4f94ea37e78b5739d5a15bef186a5386c75744c0527e1faa9f8726e462a12a4f
            eb06bd8801e751e41385141204f329979fd3047a13c5657724ada64d2470157b3cdc288620944d78dbcddbd912993f0913f164fb2ce95131
            a2d0
            """)
        for algorithm in [SignatureAlgorithm.ES512, .RS512, .PS512, .EdDSA, .Ed25519] {
            #expect(algorithm.digest(of: Array("abc".utf8)) == sha512)
        }
        #expect(SignatureAlgorithm.Ed448.digest(of: Array("abc".utf8)) == shake256)
        #expect(SignatureAlgorithm.ES256.digest(of: Array("abc".utf8)) == Digest(of: "abc").bytes)
    }

    /// RFC 9864 § 2.2.
    @Test func `EdDSA is one of two algorithms, as the key is`() throws {
        let keys = try [Self.ed25519, Published.ed448JWK, Self.p256].map { try #require(VerificationKey(jwk: $0)) }
        #expect(keys.map { $0.specified(.EdDSA) }.prefix(2) == [.Ed25519, .Ed448])
        #expect(keys.map(\.algorithms) == [[.EdDSA, .Ed25519], [.EdDSA, .Ed448], [.ES256]])
        #expect(keys[2].specified(.ES256) == .ES256)
    }

    /// RFC 7517 § 4.4, RFC 9864 § 2.2.
    @Test func `a key's alg is its algorithm's name, old or new`() {
        for algorithm in SignatureAlgorithm.allCases {
            for name in SignatureAlgorithm.allCases.map(\.rawValue) + [
                "", "HS256", "none", "ESP256", "E\u{64}DSA\u{301}",
            ] {
                let names = [algorithm.rawValue, name]
                let isEdwards =
                    names.contains("EdDSA") && names.allSatisfy { ["EdDSA", "Ed25519", "Ed448"].contains($0) }
                #expect(algorithm.isMeant(by: name) == (algorithm.rawValue == name || isEdwards))
            }
        }
    }

    /// RFC 6979 § A.2.5 to § A.2.7: the message "sample".
    @Test(arguments: [
        (
            "P-256", "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6",
            "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
                + "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
            SignatureAlgorithm.ES256
        ),
        (
            "P-384",
            "EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64DEF8F0EA9055866064A254515480BC13",
            "8015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1288B231C3AE0D4FE7344FD2533264720",
            "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46"
                + "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8",
            .ES384
        ),
        (
            "P-521",
            "01894550D0785932E00EAA23B694F213F8C3121F86DC97A04E5A7167DB4E5BCD"
                + "371123D46E45DB6B5D5370A7F20FB633155D38FFA16D2BD761DCAC474B9A2F5023A4",
            "00493101C962CD4D2FDDF782285E64584139C2F91B47F87FF82354D6630F746A"
                + "28A0DB25741B5B34A828008B22ACC23F924FAAFBD4D33F81EA66956DFEAA2BFDFCF5",
            "00C328FAFCBD79DD77850370C46325D987CB525569FB63C5D3BC53950E6D4C5F174E25A1EE9017B5D450606ADD152B534931D7D4E8"
                + "455CC91F9B15BF05EC36E377FA00617CCE7CF5064806C467F678D3B4080D6F1CC50AF26CA209417308281B68AF282623EAA6"
                + "3E5B5C0723D8B8C37FF0777B1A20F8CCB1DCCC43997F1EE0E44DA4A67A",
            .ES512
        ),
    ])
    func `ECDSA signatures of RFC 6979 are right`(
        _ curve: String, _ x: String, _ y: String, _ signature: String, _ algorithm: SignatureAlgorithm
    ) throws {
        let jwk = ["kty": "EC", "crv": curve, "x": Base64URL.encode(hex(x)), "y": Base64URL.encode(hex(y))]
        let key = try #require(VerificationKey(jwk: jwk))
        #expect(key.verify(hex(signature), of: Array("sample".utf8), with: algorithm))
        #expect(!key.verify(hex(signature), of: Array("Sample".utf8), with: algorithm))
    }

    /// RFC 8017 § 8.1.2, step 1: libcrypto alone would take the number without its leading zero for the same.
    @Test func `a PSS signature has all its bytes`() throws {
        let key = try #require(VerificationKey(jwk: Self.rsa))
        let encoded =
            "ACXcUebnHCVbJTnYS3dkNEoXF5bzyisDBCwPXHfmQt2rn5DwWfVhT7_S20-oRPiGH8L_NfOQjZzldvofqYYtxuJQhS_dD_NpZPUt"
            + "k0FmukHCsrIp0CVX5EwYs8aPOsQZIGq83mMolTpNR7ie1OHiaFBfur3vxmW8GG8HWgnjdSz2LX5AV-lyHL4WuC1lg9YxT8bCuYt4"
            + "WeduRv_7QhBRrfHoKFB-6s5-9KKiq9Z_Hjs6ibTEQFpL1HmtVVj4Ny7ZkX62vVPk6DB5Xn-MwiyQBF1SdPFIusTbxPnNT_ooypUj"
            + "Qr1ZwL0m_3Hp8jXWPvo1xeuvjofNxCiOv6YGxtZKOQ"
        let signature = try #require(Base64URL.decode(encoded))
        #expect(signature.first == 0)
        #expect(key.verify(signature, of: Array("text".utf8), with: .PS256))
        #expect(!key.verify(Array(signature.dropFirst()), of: Array("text".utf8), with: .PS256))
        #expect(!key.verify([0] + signature, of: Array("text".utf8), with: .PS256))
    }

    /// CVE-2022-21449: zeros for both numbers are nobody's signature.
    @Test func `zeros are no signature`() throws {
        for (jwk, algorithm, length) in [
            (Self.p256, SignatureAlgorithm.ES256, 64), (Self.ed25519, .EdDSA, 64), (Self.rsa, .RS256, 256),
            (Self.rsa, .PS256, 256), (Published.p521JWK, .ES512, 132), (Published.ed448JWK, .Ed448, 114),
        ] {
            let key = try #require(VerificationKey(jwk: jwk))
            #expect(!key.verify([UInt8](repeating: 0, count: length), of: [1], with: algorithm))
            #expect(!key.verify([], of: [1], with: algorithm))
        }
    }

    /// RFC 7518 § 3.4: DER, which other formats use, is not JOSE's.
    @Test func `an ECDSA signature in DER is refused`() throws {
        let key = try #require(SigningKey(pem: SecretBytes(Array(PublishedKey.p256.utf8))))
        let publicKey = try #require(VerificationKey(jwk: Self.p256))
        let raw = try #require(key.sign([1], with: .ES256))
        let integer = { (number: ArraySlice<UInt8>) -> [UInt8] in
            let short = Array(number.drop { $0 == 0 })
            let bytes = (short.first ?? 0x80) >= 0x80 ? [0] + short : short
            return [0x02, UInt8(bytes.count)] + bytes
        }
        let body = integer(raw[..<32]) + integer(raw[32...])
        #expect(!publicKey.verify([0x30, UInt8(body.count)] + body, of: [1], with: .ES256))
        #expect(publicKey.verify(raw, of: [1], with: .ES256))
    }

    private static let smallModulus = Base64URL.encode([UInt8](repeating: 0xFF, count: 255))
    private static let hugeModulus = Base64URL.encode([UInt8](repeating: 0xFF, count: 1025))

    @Test(
        arguments: [
            [:], ["kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"], ["kty": "RSA"], ["kty": "rsa"],
            with(rsa, ["n": nil]), with(rsa, ["e": nil]), with(rsa, ["n": ""]), with(rsa, ["n": "AAAA"]),
            // RFC 7518 § 3.3: at least 2048 bits.
            with(rsa, ["n": smallModulus]), with(rsa, ["n": hugeModulus]),
            with(rsa, ["n": Base64URL.encode([0x7F] + [UInt8](repeating: 0xFF, count: 255))]),
            with(rsa, ["n": Base64URL.encode([UInt8](repeating: 0xFE, count: 256))]),
            // RFC 8017 § 3.1: 0, 1 and even numbers are no exponents; beyond 64 bits they only cost time.
            with(rsa, ["e": ""]), with(rsa, ["e": "AA"]), with(rsa, ["e": "AQ"]), with(rsa, ["e": "AAE"]),
            with(rsa, ["e": "Ag"]), with(rsa, ["e": "AQAA"]),
            with(rsa, ["e": Base64URL.encode([1] + [UInt8](repeating: 1, count: 8))]),
            with(rsa, ["n": "not base64url!"]), with(rsa, ["e": "AQAB="]),
            with(p256, ["crv": nil]), with(p256, ["crv": "P-521"]), with(p256, ["crv": "secp256k1"]),
            with(p256, ["crv": "P-384"]), with(p256, ["crv": "p-256"]), with(p256, ["kty": "OKP"]),
            with(p256, ["x": nil]), with(p256, ["y": nil]), with(p256, ["y": ""]),
            // Off the curve: x as y, zeros, and beyond the field.
            with(p256, ["y": p256["x"]]), with(p256, ["x": p256["y"], "y": p256["x"]]),
            with(
                p256,
                [
                    "x": Base64URL.encode([UInt8](repeating: 0, count: 32)),
                    "y": Base64URL.encode([UInt8](repeating: 0, count: 32)),
                ]),
            with(p256, ["x": Base64URL.encode([UInt8](repeating: 0xFF, count: 32))]),
            // RFC 7518 § 6.2.1.2: the full width, no more and no less.
            with(p256, ["x": p256["x"].map { "AAAA" + $0 }]),
            with(p256, ["x": Base64URL.encode([UInt8](repeating: 1, count: 31))]),
            with(ed25519, ["x": nil]), with(ed25519, ["x": "AAAA"]), with(ed25519, ["crv": "Ed448"]),
            with(ed25519, ["crv": "X25519"]), with(ed25519, ["kty": "EC"]),
            with(Published.p521JWK, ["x": Published.p521JWK["y"]]), with(Published.p521JWK, ["crv": "P-384"]),
            with(Published.p521JWK, ["x": Base64URL.encode([UInt8](repeating: 1, count: 65))]),
            with(Published.ed448JWK, ["crv": "Ed25519"]), with(Published.ed448JWK, ["crv": "X448"]),
            with(Published.ed448JWK, ["x": ed25519["x"]]),
        ] as [[String: String]])
    func `what is no sound key is refused`(_ jwk: [String: String]) {
        #expect(VerificationKey(jwk: jwk) == nil)
    }

    /// With such a key anybody signs: under the identity R = 0, S = 0 fits every text. 0 and 1 may also come as p and
    /// p + 1 (RFC 8032 § 5.1.3, § 5.2.3).
    @Test(arguments: smallOrder)
    func `an Edwards point of small order is no key`(_ curve: String, _ encoded: String) {
        var point = hex(encoded)
        for _ in 0..<2 {
            #expect(VerificationKey(jwk: ["kty": "OKP", "crv": curve, "x": Base64URL.encode(point)]) == nil)
            point[point.count - 1] ^= 0x80
        }
    }

    private static let smallOrder: [(String, String)] = [
        ("Ed25519", "01\(zeros(31))"), ("Ed25519", zeros(32)), ("Ed25519", "ec\(ones(30))7f"),
        ("Ed25519", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        ("Ed25519", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
        ("Ed25519", "ed\(ones(30))7f"), ("Ed25519", "ee\(ones(30))7f"), ("Ed448", "01\(zeros(56))"),
        ("Ed448", zeros(57)), ("Ed448", "fe\(ones(27))fe\(ones(27))00"), ("Ed448", "\(ones(28))fe\(ones(27))00"),
        ("Ed448", "\(zeros(28))\(ones(28))00"),
    ]

    private static func zeros(_ count: Int) -> String { String(repeating: "00", count: count) }
    private static func ones(_ count: Int) -> String { String(repeating: "ff", count: count) }

    @Test func `a zero in front of a modulus is passed over`() throws {
        let n = try #require(Self.rsa["n"].flatMap { Base64URL.decode($0) })
        let jwk = Self.with(Self.rsa, ["n": Base64URL.encode([0] + n), "e": "AAEAAQ"])
        #expect(VerificationKey(jwk: jwk) != nil)
    }

    @Test func `members besides the key's own change nothing`() {
        #expect(
            VerificationKey(jwk: Self.with(Self.p256, ["d": "x", "x5u": "https://example.com", "n": "AQAB"])) != nil)
    }
}
