#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The requirements of every provider, by the catalog entry that they are for.
///
/// One JSON object; each member is a ``ProviderRequirement``. A member that ``standard`` does not know is a mistake: a
/// misspelt requirement would be no requirement at all.
public struct ProviderRequirements: Sendable {
    /// By the id of a source type in the built-in catalog.
    public let entries: [String: ProviderRequirement]

    /// Throws ``UnknownMember`` for a misspelt member, and `DecodingError` for anything else that is no requirement.
    public init(json: Data) throws {
        let decoder = JSONDecoder()
        let standard = try decoder.decode(JSON.self, from: Data(Self.standard.utf8))
        entries = try decoder.decode([String: JSON].self, from: json).reduce(into: [:]) { entries, record in
            let whole = try Self.completed(record.value, by: standard, at: record.key)
            entries[record.key] = try decoder.decode(ProviderRequirement.self, from: JSONEncoder().encode(whole))
        }
    }

    /// A member that no requirement has; `description` has its path, such as `wiki.consent.scpoe`.
    public struct UnknownMember: Error, CustomStringConvertible {
        let path: String
        public var description: String { "\(path) is no member of a provider requirement" }
    }

    /// The members of a requirement, with the values that a record need not repeat. `null` and a question mark: absent.
    /// An empty object: any members.
    static let standard = """
        {
          "places": [{
            "name": "default", "parameters": {}, "learned": {}, "setByOperator": false, "authorization": null,
            "token": null, "refresh": null, "revocation": null, "afterConnecting": null, "waived": [],
            "callback": {}, "moment": null, "lasting": false
          }],
          "consent": {
            "responseType": "code", "redirectURI": "required", "parameters": {},
            "scope": {
              "parameter": "scope", "separator": " ", "examples": [], "presence": "required", "known": true,
              "always": null
            },
            "pkce": "unknown", "challengeMethods": "S256", "keeps": [], "signature": null,
            "names": {}, "codeParameter": "code", "fragment": null, "nonce": false, "redirectAlias": null
          },
          "exchange": {
            "method": "POST", "format": "form", "authentication": "post", "grantType": "authorization_code",
            "codeParameter": "code", "redirectURI": "required", "headers": {}, "parameters": {},
            "clientIdParameter": "client_id", "minted?": { "issuer": null, "audience": null }, "certificate": false
          },
          "answer": {
            "body": null, "encoding": "json", "failure": "status", "lifetime": 3600, "expiry": "told", "prefix": null,
            "keeps": []
          },
          "refresh?": {
            "method": null, "format": null, "authentication": null, "grantType": "refresh_token",
            "tokenParameter": "refresh_token", "headers": null, "parameters": {}, "sends": "refreshToken",
            "rotation": "varies", "body": null, "notBefore": null
          },
          "afterConnecting?": {
            "address": null, "method": "GET", "scheme": "Bearer", "parameters": {}, "tokenParameter": "access_token",
            "swaps": false, "body": null, "keeps": []
          },
          "revocations": [{
            "address": null, "method": "POST", "token": "form", "tokenParameter": "token", "authentication": "*",
            "headers": {}, "parameters": {}, "accepts": "any", "optional": false, "status": 200
          }],
          "unverified": [],
          "remark": null
        }
        """

    private static func completed(_ given: JSON, by standard: JSON, at path: String) throws -> JSON {
        switch (given, standard) {
        case (.object(let given), .object(let standard)) where !standard.isEmpty:
            if let unknown = given.keys.sorted().first(where: { standard[$0] == nil && standard[$0 + "?"] == nil }) {
                throw UnknownMember(path: "\(path).\(unknown)")
            }
            return .object(
                try standard.reduce(into: [:]) { whole, member in
                    let name = member.key.replacing("?", with: "")
                    whole[name] = try Self.member(
                        given[name], by: member.value, isOptional: name != member.key, at: "\(path).\(name)")
                })
        case (.array(let given), .array(let standard)):
            guard let element = standard.first else { return .array(given) }
            return .array(try given.map { try completed($0, by: element, at: path) })
        default:
            return given
        }
    }

    private static func member(_ given: JSON?, by standard: JSON, isOptional: Bool, at path: String) throws -> JSON? {
        if let given { return try completed(given, by: standard, at: path) }
        return switch standard {
        case .null: nil
        case .array: .array([])
        case .object: isOptional ? nil : try completed(.object([:]), by: standard, at: path)
        default: standard
        }
    }
}
