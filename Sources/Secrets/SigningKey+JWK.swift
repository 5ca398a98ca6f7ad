import COpenSSL

extension SigningKey {
    /// Reads the text members of a private JSON Web Key (RFC 7517 § 4, RFC 7518 § 6, RFC 8037 § 2); others than the
    /// key's own are not looked at.
    ///
    /// `nil` unless it is of a kind that `init(pem:)` takes and its halves belong together.
    public init?(jwk: [String: String]) {
        let members = JWKMembers(jwk)
        let key: KeyHandle? =
            switch members.kind {
            case .rsa: Self.rsa(members)
            case .point(let curve, let width): Self.point(members, curve: curve, width: width)
            case .edwards(let type, let width): Self.edwards(members, type: type, width: width)
            case nil: nil
            }
        self.init(key)
    }

    /// RFC 7518 § 6.3.2: `d` does; of the others all must be there where one is, and more than two primes are not
    /// used here.
    private static func rsa(_ members: JWKMembers) -> KeyHandle? {
        guard let (n, e) = members.rsa, let d = members.number("d") else { return nil }
        let factors = ["p", "q", "dp", "dq", "qi"].map { members.number($0) }
        let present = factors.compactMap(\.self)
        guard present.isEmpty || present.count == factors.count else { return nil }
        let numbers = [n, e, d] + present
        let lengths = numbers.map(\.count)
        return KeyHandle(cloakroom_private_key_from_rsa(Array(numbers.joined()), lengths, Int32(lengths.count)))
    }

    private static func point(_ members: JWKMembers, curve: String, width: Int) -> KeyHandle? {
        guard let point = members.point(width: width), let d = members.bytes("d", width: width) else { return nil }
        return KeyHandle(cloakroom_private_key_from_point(curve, point, point.count, d, d.count))
    }

    private static func edwards(_ members: JWKMembers, type: String, width: Int) -> KeyHandle? {
        guard let x = members.bytes("x", width: width), let d = members.bytes("d", width: width),
            let key = KeyHandle(cloakroom_private_key_from_edwards(type, d, d.count))
        else { return nil }
        // libcrypto makes the public half; what the JWK says of it must be the same.
        return key.edwardsPoint == Base64URL.encode(x) ? key : nil
    }
}
