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

    /// In bytes. This and `keyLimit` are several times what the largest issuers have, and bound what a hostile one
    /// costs.
    static let sizeLimit = 512 * 1024
    /// The keys of one set, those that cannot be used here included.
    static let keyLimit = 100

    /// `nil` where `json` is no key set or beyond its bounds. Keys that cannot be used here are passed over, as
    /// RFC 7517 § 5 says.
    package init?(json: [UInt8]) {
        // RFC 7517 § 4: names within a key are unique.
        guard json.count <= Self.sizeLimit, let document = try? StrictJSON.object(json, by: .metadata),
            case .array(let keys)? = document["keys"], keys.count <= Self.keyLimit
        else { return nil }
        entries = keys.compactMap(Self.entry)
    }

    /// The document was sound, but no key in it can be used here.
    package var isEmpty: Bool { entries.isEmpty }

    private static func entry(_ value: JSONValue) -> Entry? {
        guard case .object(let members) = value else { return nil }
        guard members.isKey(for: "verify") else { return nil }
        let algorithm: String?
        switch members["alg"] {
        case nil, .null?: algorithm = nil
        case .string(let name)?: algorithm = name
        // It is for one algorithm, and nobody can tell which.
        default: return nil
        }
        return VerificationKey(jwk: members.compactMapValues(\.string)).map { key in
            Entry(id: members["kid"]?.string, algorithm: algorithm, issuer: members["issuer"]?.string, key: key)
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

extension [String: JSONValue] {
    /// Tells whether these members of a JSON Web Key let it do `operation` on signatures: it is no key for encryption
    /// (RFC 7517 § 4.2 and § 4.3).
    func isKey(for operation: String) -> Bool {
        guard self["use"] ?? .string("sig") == .string("sig") else { return false }
        guard let operations = self["key_ops"] else { return true }
        guard case .array(let names) = operations else { return false }
        return names.contains(.string(operation))
    }
}
