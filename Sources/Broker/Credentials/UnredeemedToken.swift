import Formats
import Secrets

/// A token of credentials that nobody redeemed yet, with what its provider needs to revoke it.
///
/// Sealed under a key of this process, which only brokers of the same database are handed (see `BrokerGroup`): a stolen
/// database opens nothing, not even with the master key. Once no broker of that time runs any more, such a token can no
/// longer be revoked, but nobody holds it either.
public struct UnredeemedToken: Sendable {
    let token: AccessOrRefreshToken
    let hint: String
    /// The values of the address's placeholders, those that the callback told included.
    let values: [String: String]

    init(_ token: AccessOrRefreshToken, hint: String, values: [String: String]) {
        self.token = token
        self.hint = hint
        self.values = values
    }

    private init?(_ json: SecretBytes) {
        guard case .object(let members)? = json.expose({ JSONValue(json: $0) }),
            let token = members["token"]?.string, let hint = members["hint"]?.string,
            case .object(let values)? = members["values"]
        else { return nil }
        self.token = AccessOrRefreshToken(token)
        self.hint = hint
        self.values = values.compactMapValues(\.string)
    }

    func sealed(by ring: KeyRing, at placement: Placement) -> Sealed<UnredeemedToken>? {
        var json = JSONWriter()
        json.literal("{\"token\":")
        token.expose { json.string($0) }
        json.literal(",\"hint\":")
        json.string(hint)
        json.literal(",\"values\":")
        guard (try? json.value(.object(values.mapValues { .string($0) }))) != nil else { return nil }
        json.literal("}")
        return ring.seal(SecretBytes(json.bytes), as: Label("token-to-revoke"), context: placement.context)
    }

    /// Opens a sealed token; `nil` where another process sealed it, or the row was altered.
    static func open(
        _ sealed: Sealed<UnredeemedToken>, by ring: KeyRing, at placement: Placement
    ) -> UnredeemedToken? {
        (try? ring.open(sealed, as: Label("token-to-revoke"), context: placement.context)).flatMap {
            UnredeemedToken($0)
        }
    }
}
