import Broker
import Foundation
import JWTKit

/// The keys that callers' tokens may be signed with.
public struct VerificationKeys: Sendable {
    /// One key, ready for each algorithm that it may be used with.
    struct Key: Sendable {
        let id: String?
        let algorithms: [String: any JWTAlgorithm]
    }

    let keys: [Key]

    /// Why a key set is not usable.
    public enum Fault: Error, Equatable, Sendable {
        case notAKeySet
        case noUsableKey
        case secretTooShort
    }

    /// A shared secret for HS256, of at least 32 bytes (RFC 7518 § 3.2).
    public init(sharedSecret: [UInt8]) async throws(Fault) {
        guard sharedSecret.count >= 32 else { throw .secretTooShort }
        let id = JWKIdentifier(string: "key")
        let collection = await JWTKeyCollection()
            .add(hmac: HMACKey(from: Data(sharedSecret)), digestAlgorithm: .sha256, kid: id)
        guard let key = try? await collection.getKey(for: id) else { throw .noUsableKey }
        keys = [Key(id: nil, algorithms: ["HS256": key])]
    }

    /// A JWK set (RFC 7517 § 5). Keys of other kinds or for encryption are passed over.
    public init(jwks: [UInt8]) async throws(Fault) {
        struct Entry: Decodable {
            let kty: String?
            let use: String?
            let kid: String?
            let alg: String?
            let crv: String?
        }
        struct KeySet: Decodable { let keys: [JSONValue] }
        guard let set = try? JSONDecoder().decode(KeySet.self, from: Data(jwks)) else { throw .notAKeySet }
        var keys: [Key] = []
        // More than any issuer rotates through: a bound on what a hostile key set costs.
        for value in set.keys.prefix(64) {
            guard let data = try? JSONEncoder().encode(value),
                let entry = try? JSONDecoder().decode(Entry.self, from: data), entry.use ?? "sig" == "sig",
                let jwk = try? JSONDecoder().decode(JWK.self, from: data)
            else { continue }
            var algorithms: [String: any JWTAlgorithm] = [:]
            for name in Self.algorithms(keyType: entry.kty, curve: entry.crv) where entry.alg ?? name == name {
                algorithms[name] = await Self.algorithm(jwk, name)
            }
            if !algorithms.isEmpty { keys.append(Key(id: entry.kid, algorithms: algorithms)) }
        }
        guard !keys.isEmpty else { throw .noUsableKey }
        self.keys = keys
    }

    /// The allow-list: what a key of a kind may sign with. `none` and HMAC are never among them (RFC 8725 § 3.1).
    private static func algorithms(keyType: String?, curve: String?) -> [String] {
        switch (keyType, curve) {
        case ("RSA", _): ["RS256", "RS384", "RS512", "PS256"]
        case ("EC", "P-256"): ["ES256"]
        case ("EC", "P-384"): ["ES384"]
        case ("OKP", "Ed25519"): ["EdDSA"]
        default: []
        }
    }

    /// A collection of this one key: with several, JWTKit falls back to another key where `kid` is unknown.
    private static func algorithm(_ jwk: JWK, _ name: String) async -> (any JWTAlgorithm)? {
        let id = JWKIdentifier(string: "key")
        var jwk = jwk
        jwk.keyIdentifier = id
        guard let collection = try? await JWTKeyCollection().add(jwk: jwk) else { return nil }
        return try? await collection.getKey(for: id, alg: name)
    }

    /// The one key that a token's header names for its algorithm. A token without `kid` is sound only where one key
    /// alone could have signed it.
    func key(id: String?, algorithm: String) -> (any JWTAlgorithm)? {
        let usable = keys.filter { $0.algorithms[algorithm] != nil }
        if let id, usable.contains(where: { $0.id != nil }) {
            return usable.first { $0.id == id }?.algorithms[algorithm]
        }
        return usable.count == 1 ? usable[0].algorithms[algorithm] : nil
    }
}
