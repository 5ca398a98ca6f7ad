import Foundation
public import Secrets

/// What a provider granted, and what whoever redeems should know about it.
public struct Credentials: Sendable {
    public enum Warning: String, Sendable, Codable {
        case missingRefreshToken = "missing_refresh_token"
        case scopeReduced = "scope_reduced"
        case expiryUnknown = "expiry_unknown"
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
    func exposedJSON(sourceType: SourceType.ID) throws -> SecretBytes {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return SecretBytes(
            Array(
                try encoder.encode(
                    Exposed(
                        accessToken: accessToken.expose { $0 },
                        refreshToken: refreshToken?.expose { $0 },
                        tokenType: tokenType,
                        expiresAt: expiresAt?.milliseconds,
                        scope: scope,
                        sourceType: sourceType.description,
                        idToken: idToken?.expose { $0 },
                        extras: extras,
                        warnings: warnings))))
    }

    /// Private so that nothing else encodes tokens.
    private struct Exposed: Encodable {
        let accessToken: String
        let refreshToken: String?
        let tokenType: String
        let expiresAt: Int64?
        let scope: String?
        let sourceType: String
        let idToken: String?
        let extras: [String: JSONValue]
        let warnings: [Warning]

        enum Key: CodingKey {
            case accessToken, refreshToken, tokenType, expiresAt, scope, sourceType, idToken, extras, warnings
        }

        // Absent members are `null`, not left out: the answer always has the same shape.
        func encode(to encoder: any Encoder) throws {
            var members = encoder.container(keyedBy: Key.self)
            try members.encode(accessToken, forKey: .accessToken)
            try members.encode(refreshToken, forKey: .refreshToken)
            try members.encode(tokenType, forKey: .tokenType)
            try members.encode(expiresAt, forKey: .expiresAt)
            try members.encode(scope, forKey: .scope)
            try members.encode(sourceType, forKey: .sourceType)
            try members.encode(idToken, forKey: .idToken)
            try members.encode(extras, forKey: .extras)
            try members.encode(warnings, forKey: .warnings)
        }
    }
}
