import Catalog
import Formats
import Secrets

/// What a provider needs to take back a token that nobody redeemed.
///
/// Sealed under a key of this process alone: a stolen database opens nothing, not even with the master key. After a
/// restart such a token can no longer be taken back, but nobody holds it either.
public struct TokenToRevoke: Sendable {
    let token: RevokedToken
    let hint: String
    /// The address's parameters, also those that the callback told.
    let values: [String: String]

    /// `nil` where the provider has no revocation of what was granted.
    init?(_ credentials: Credentials, _ provider: Provider) {
        guard provider.hasRevocation else { return nil }
        let type = provider.profile.revocation.tokenType
        // RFC 7009 § 2.1: who loses the refresh token loses the access tokens of its grant too.
        if type != .accessToken, let refreshToken = credentials.refreshToken {
            token = RevokedToken(refreshToken.expose { $0 })
            hint = "refresh_token"
        } else if type != .refreshToken {
            token = RevokedToken(credentials.accessToken.expose { $0 })
            hint = "access_token"
        } else {
            return nil
        }
        values = provider.values
    }

    private init?(_ json: SecretBytes) {
        guard case .object(let members)? = json.expose({ JSONValue(json: $0) }),
            let token = members["token"]?.string, let hint = members["hint"]?.string,
            case .object(let values)? = members["values"]
        else { return nil }
        self.token = RevokedToken(token)
        self.hint = hint
        self.values = values.compactMapValues(\.string)
    }

    func sealed(by ring: KeyRing, at placement: Placement) -> Sealed<TokenToRevoke>? {
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

    /// `nil`: another process sealed it.
    static func open(
        _ sealed: Sealed<TokenToRevoke>, by ring: KeyRing, at placement: Placement
    ) -> TokenToRevoke? {
        (try? ring.open(sealed, as: Label("token-to-revoke"), context: placement.context)).flatMap { TokenToRevoke($0) }
    }
}
