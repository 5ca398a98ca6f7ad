/// The text members of a JSON Web Key (RFC 7517 § 4) and the bytes that they stand for.
struct JWKMembers {
    private let members: [String: String]

    init(_ members: [String: String]) {
        self.members = members
    }

    /// The kinds of keys that are used here.
    enum Kind {
        case rsa
        /// RFC 7518 § 6.2; coordinates have the full width of their curve.
        case point(curve: String, width: Int)
        /// RFC 8037 § 2; libcrypto's name, and the bytes of either half.
        case edwards(type: String, width: Int)
    }

    var kind: Kind? {
        switch (members["kty"], members["crv"]) {
        case ("RSA", _): .rsa
        case ("EC", "P-256"): .point(curve: "P-256", width: 32)
        case ("EC", "P-384"): .point(curve: "P-384", width: 48)
        case ("EC", "P-521"): .point(curve: "P-521", width: 66)
        case ("OKP", "Ed25519"): .edwards(type: "ED25519", width: 32)
        case ("OKP", "Ed448"): .edwards(type: "ED448", width: 57)
        default: nil
        }
    }

    /// The bytes of a member that has just so many.
    func bytes(_ name: String, width: Int) -> [UInt8]? {
        members[name].flatMap { Base64URL.decode($0) }.flatMap { $0.count == width ? $0 : nil }
    }

    /// A number of RSA. Some libraries put a zero in front (RFC 7518 § 6.3.1.1).
    func number(_ name: String) -> [UInt8]? {
        members[name].flatMap { Base64URL.decode($0) }.map { Array($0.drop { $0 == 0 }) }
    }

    /// A point as libcrypto reads it: uncompressed (SEC 1 § 2.3.3). RFC 7518 § 6.2.1.2: the full width.
    func point(width: Int) -> [UInt8]? {
        guard let x = bytes("x", width: width), let y = bytes("y", width: width) else { return nil }
        return [0x04] + x + y
    }

    /// Modulus and public exponent, where they can be such.
    var rsa: (n: [UInt8], e: [UInt8])? {
        guard let n = number("n"), let e = number("e") else { return nil }
        // An even modulus has no secret, and 1 and even numbers are no exponents (RFC 8017 § 3.1). Exponents beyond
        // 64 bits only cost time. At least 2048 bits: RFC 7518 § 3.3; `KeyHandle` sees to it.
        guard let lowOfN = n.last, lowOfN & 1 == 1, n.count <= 1024, let lowOfE = e.last, lowOfE & 1 == 1,
            e.count <= 8, e != [1]
        else { return nil }
        return (n, e)
    }
}
