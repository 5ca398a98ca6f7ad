import Catalog
import Formats
import Secrets

/// The credentials that a provider granted, with warnings for their redeemer (Docs/Backend.md#redeem).
public struct Credentials: Sendable {
    /// A shortcoming that did not keep the flow from succeeding. The raw values are in the answer's `warnings`.
    enum Warning: String, Sendable, Codable {
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

    /// The tokens and all that is said of them. After a refresh without a new refresh token, the one that was sent is
    /// among them (RFC 6749 § 6).
    var tokens: TokenResponse
    /// The further members that the catalog names, such as an account id, and `dpopKey`.
    var extras: [String: SecretJSON]
    /// The warnings for the redeemer, none twice.
    var warnings: [Warning]

    /// The JSON that is sealed at the callback and is the answer of `assets:oauthCredentials`.
    ///
    /// Made once: redemption opens it and sends it as it is. The one place where credentials become plain text.
    ///
    /// Absent members are `null`, not left out: the answer always has the same shape.
    func exposedJSON(sourceType: SourceType.ID) throws -> SecretBytes {
        var json = JSONWriter()
        json.literal("{\"accessToken\":")
        tokens.accessToken.expose { json.string($0) }
        json.literal(",\"expiresAt\":")
        if let expiresAt = tokens.expiresAt { json.number(expiresAt.milliseconds) } else { json.literal("null") }
        json.literal(",\"extras\":")
        try json.object(of: extras)
        json.literal(",\"idToken\":")
        json.secretOrNull(tokens.idToken)
        json.literal(",\"refreshToken\":")
        json.secretOrNull(tokens.refreshToken)
        json.literal(",\"scope\":")
        json.stringOrNull(tokens.scope)
        json.literal(",\"sourceType\":")
        json.string(sourceType.description)
        json.literal(",\"tokenType\":")
        json.string(tokens.tokenType)
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
