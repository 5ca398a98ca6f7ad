/// A kind of source that tenants connect, as the catalog describes it. Data: no code asks which one it holds.
public struct SourceType: Sendable {
    /// `^[a-z][a-z0-9_]{0,63}$`
    public struct ID: Hashable, Sendable, Comparable, CustomStringConvertible {
        public let description: String

        public init?(_ text: some StringProtocol) {
            let allowed = { (byte: UInt8) in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
            }
            guard let first = text.utf8.first, (0x61...0x7A).contains(first), text.utf8.count <= 64,
                text.utf8.allSatisfy(allowed)
            else { return nil }
            description = String(text)
        }

        public static func < (left: ID, right: ID) -> Bool { left.description < right.description }
    }

    public let id: ID
    public let displayName: String
    public let category: String
    /// Source types of one provider share its client credentials.
    public let provider: String
    /// Where the provider documents its OAuth.
    public let documentation: String?
    /// `nil`: it has no OAuth.
    public let oauth: OAuthProfile?
}

/// How one provider does OAuth 2.0.
public struct OAuthProfile: Sendable {
    public enum ClientAuthentication: String, Sendable, CaseIterable {
        /// HTTP Basic (RFC 6749 § 2.3.1).
        case basic
        /// `client_id` and `client_secret` in the request body (RFC 6749 § 2.3.1).
        case post
        /// `client_id` alone: a public client.
        case none
    }

    public enum TokenRequestFormat: String, Sendable, CaseIterable {
        case form
        case json
    }

    public enum ProofKey: String, Sendable, CaseIterable {
        case s256 = "S256"
        /// RFC 7636 § 4.2 allows `plain` only to clients that cannot hash; some providers know nothing else.
        case plain
        case none
    }

    /// Whether a flow without a refresh token deserves a warning.
    public enum RefreshTokenRule: String, Sendable, CaseIterable {
        case expected
        case optional
        case never
    }

    /// A value that the person who connects must supply, such as a subdomain.
    public struct Parameter: Sendable {
        public let name: String
        public let description: String
        public let pattern: Pattern
        public let required: Bool
        /// Used where the caller gives none.
        public let defaultValue: String?
    }

    /// Where the members of a token response are, if not where RFC 6749 § 5.1 has them.
    public struct ResponseShape: Sendable {
        public var accessToken = JSONPointer.member("access_token")
        public var refreshToken = JSONPointer.member("refresh_token")
        public var tokenType = JSONPointer.member("token_type")
        public var expiresIn = JSONPointer.member("expires_in")
        /// Absolute, Unix seconds. `nil`: the provider sends none.
        public var expiresAt: JSONPointer?
        public var scope = JSONPointer.member("scope")
        public var idToken = JSONPointer.member("id_token")
        public var error = JSONPointer.member("error")
        public var errorDescription = JSONPointer.member("error_description")
        /// An answer in which this does not hold is a failure, whatever its status.
        public var failureUnless: Condition?

        public struct Condition: Sendable {
            public let pointer: JSONPointer
            public let equals: JSONValue
        }
    }

    /// What to keep beside the tokens, for whoever redeems.
    public struct Extras: Sendable {
        /// Callback parameters, kept under their own names.
        public var callback: [String] = []
        /// Members of the token response, by the name they are kept under.
        public var token: [String: JSONPointer] = [:]
    }

    public let authorizationURL: URLTemplate
    public let tokenURL: URLTemplate
    /// The `iss` that a callback must have where it has one (RFC 9207).
    public let issuer: String?
    public let requireIssuer: Bool
    public let scopes: [String]
    /// Added even where the caller gives its own list.
    public let alwaysScopes: [String]
    public let scopeSeparator: String
    public let scopeParameter: String
    public let authorizationParameters: [(name: String, value: String)]
    public let tokenParameters: [(name: String, value: String)]
    public let tokenHeaders: [(name: String, value: String)]
    public let clientAuthentication: ClientAuthentication
    public let tokenRequestFormat: TokenRequestFormat
    public let tokenMethod: ProviderRequest.Method
    public let proofKey: ProofKey
    public let refreshToken: RefreshTokenRule
    /// The provider's pages send `Cross-Origin-Opener-Policy`, which cuts a popup from its opener.
    public let cutsOpener: Bool
    public let parameters: [Parameter]
    public let response: ResponseShape
    public let extras: Extras
}
