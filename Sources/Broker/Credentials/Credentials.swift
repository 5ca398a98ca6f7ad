import Catalog
public import Formats
public import Secrets

/// What a provider granted, and what whoever redeems should know about it.
public struct Credentials: Sendable {
    public enum Warning: String, Sendable, Codable {
        case missingRefreshToken = "missing_refresh_token"
        case scopeReduced = "scope_reduced"
        case expiryUnknown = "expiry_unknown"
        /// The call after connecting failed.
        case extrasMissing = "extras_missing"
        /// An extra was not of its form and is left out.
        case extraRefused = "extra_refused"
    }

    public var accessToken: AccessToken
    public var refreshToken: RefreshToken?
    public var tokenType: String
    public var expiresAt: Timestamp?
    public var scope: String?
    public var idToken: IDToken?
    public var extras: [String: JSONValue]
    public var warnings: [Warning]

    /// The JSON that is sealed at the callback and is the answer of `assets:oauthCredentials`.
    ///
    /// Made once: redemption opens it and sends it as it is. The one place where tokens become plain text.
    ///
    /// Absent members are `null`, not left out: the answer always has the same shape.
    func exposedJSON(sourceType: SourceType.ID) throws -> SecretBytes {
        var json = JSONWriter()
        json.literal("{\"accessToken\":")
        accessToken.expose { json.string($0) }
        json.literal(",\"expiresAt\":")
        if let expiresAt { json.number(expiresAt.milliseconds) } else { json.literal("null") }
        json.literal(",\"extras\":")
        try json.value(.object(extras))
        json.literal(",\"idToken\":")
        json.stringOrNull(idToken?.expose { $0 })
        json.literal(",\"refreshToken\":")
        json.stringOrNull(refreshToken?.expose { $0 })
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
    fileprivate mutating func stringOrNull(_ text: String?) {
        if let text { string(text) } else { literal("null") }
    }
}
