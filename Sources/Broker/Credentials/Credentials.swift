import Catalog
public import Formats
public import Secrets

/// The credentials that a provider granted, with warnings for their redeemer (Docs/Backend.md#redeem).
public struct Credentials: Sendable {
    /// A shortcoming that did not keep the flow from succeeding. The raw values are in the answer's `warnings`.
    public enum Warning: String, Sendable, Codable {
        /// A refresh token was expected, and none came: access ends with the access token.
        case missingRefreshToken = "missing_refresh_token"
        /// The provider granted less than was asked for.
        case scopeReduced = "scope_reduced"
        /// The provider did not say when the access token expires.
        case expiryUnknown = "expiry_unknown"
        /// The call after connecting failed, so that its extras are missing.
        case extrasMissing = "extras_missing"
        /// An extra did not have its form, and is left out.
        case extraRefused = "extra_refused"
    }

    /// The access token, visible ASCII (RFC 6749 appendix A.12).
    public var accessToken: AccessToken
    /// `nil` where the provider issued none; after a refresh without a new one, the one that was sent (RFC 6749 § 6).
    public var refreshToken: RefreshToken?
    /// The provider's `token_type`; `Bearer` in this spelling, also where none came.
    public var tokenType: String
    /// The end of the access token; `nil` where it never expires, or where that is not known (then with a warning).
    public var expiresAt: Timestamp?
    /// The granted scopes in the provider's spelling; `nil` where it granted what was asked for (RFC 6749 § 5.1).
    public var scope: String?
    /// The `id_token`, validated where the source type uses OpenID Connect; `nil` where none came.
    public var idToken: IDToken?
    /// The further members that the catalog names, such as an account id, and `dpopKey`.
    public var extras: [String: SecretJSON]
    /// The warnings for the redeemer, none twice.
    public var warnings: [Warning]

    /// The JSON that is sealed at the callback and is the answer of `assets:oauthCredentials`.
    ///
    /// Made once: redemption opens it and sends it as it is. The one place where credentials become plain text.
    ///
    /// Absent members are `null`, not left out: the answer always has the same shape.
    func exposedJSON(sourceType: SourceType.ID) throws -> SecretBytes {
        var json = JSONWriter()
        json.literal("{\"accessToken\":")
        accessToken.expose { json.string($0) }
        json.literal(",\"expiresAt\":")
        if let expiresAt { json.number(expiresAt.milliseconds) } else { json.literal("null") }
        json.literal(",\"extras\":")
        try json.object(of: extras)
        json.literal(",\"idToken\":")
        json.secretOrNull(idToken)
        json.literal(",\"refreshToken\":")
        json.secretOrNull(refreshToken)
        json.literal(",\"scope\":")
        json.stringOrNull(scope)
        json.literal(",\"sourceType\":")
        json.string(sourceType.description)
        json.literal(",\"tokenType\":")
        json.string(tokenType)
        json.literal(",\"warnings\":")
        try json.value(.array(warnings.map { .string($0.rawValue) }))
        json.literal("}")
        return SecretBytes(json.bytes)
    }
}

extension JSONWriter {
    fileprivate mutating func secretOrNull<Use>(_ secret: Secret<Use>?) {
        if let secret { secret.expose { string($0) } } else { literal("null") }
    }

    fileprivate mutating func stringOrNull(_ text: String?) {
        if let text { string(text) } else { literal("null") }
    }
}
