import Formats
package import Secrets

/// The public keys of an issuer (RFC 7517 § 5).
package struct JSONWebKeySet: Sendable {
    struct Entry: Sendable {
        let id: String?
        /// The only algorithm that the issuer uses the key with, if it says so (RFC 7517 § 4.4).
        let algorithm: String?
        /// The issuer that the key is for, as Microsoft tells it of a set that serves several (`IssuerName`).
        let issuer: String?
        let key: VerificationKey
    }

    private let entries: [Entry]

    /// Bytes, and keys: several times what the largest issuers have, and a bound on what a hostile one costs.
    static let sizeLimit = 512 * 1024
    static let keyLimit = 100

    /// `nil` where `json` is no key set or beyond its bounds. Keys that cannot be used here are passed over, as
    /// RFC 7517 § 5 says.
    package init?(json: [UInt8]) {
        // RFC 7517 § 4: names within a key are unique.
        guard json.count <= Self.sizeLimit, let document = try? StrictJSON.object(json),
            case .array(let keys)? = document["keys"], keys.count <= Self.keyLimit
        else { return nil }
        entries = keys.compactMap(Self.entry)
    }

    package var isEmpty: Bool { entries.isEmpty }

    private static func entry(_ value: JSONValue) -> Entry? {
        guard case .object(let members) = value else { return nil }
        // RFC 7517 § 4.2 and § 4.3: not a key for encryption.
        guard members["use"] ?? .string("sig") == .string("sig") else { return nil }
        if let operations = members["key_ops"] {
            guard case .array(let names) = operations, names.contains(.string("verify")) else { return nil }
        }
        return VerificationKey(jwk: members.compactMapValues(\.string)).map { key in
            Entry(
                id: members["kid"]?.string, algorithm: members["alg"]?.string, issuer: members["issuer"]?.string,
                key: key)
        }
    }

    /// The keys that may have made a signature with this `kid` and algorithm.
    ///
    /// Several may share an id (RFC 7517 § 4.5). Where the header names none, all are candidates. Where the set names
    /// none of its keys, what the header says cannot tell them apart.
    package func keys(for id: String?, _ algorithm: SignatureAlgorithm) -> [VerificationKey] {
        candidates(for: id, algorithm).map(\.key)
    }

    /// The same keys with what the set says of them.
    func candidates(for id: String?, _ algorithm: SignatureAlgorithm) -> [Entry] {
        let usable = entries.filter { entry in
            entry.key.algorithms.contains(algorithm) && entry.algorithm.map { algorithm.isMeant(by: $0) } != false
        }
        guard let id, usable.contains(where: { $0.id != nil }) else { return usable }
        return usable.filter { $0.id?.isExactly(id) == true }
    }
}
