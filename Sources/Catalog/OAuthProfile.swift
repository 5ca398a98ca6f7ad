public import Formats
package import Secrets

/// How one provider does OAuth 2.0, as `Docs/Catalog.md` describes it.
public struct OAuthProfile: Sendable {
    public enum ClientAuthentication: String, Sendable, CaseIterable {
        /// HTTP Basic (RFC 6749 § 2.3.1).
        case basic
        /// The same without form-encoding them first, for servers that do not decode what RFC 6749 § 2.3.1 has encoded
        /// (RFC 7617 § 2).
        case basicRaw = "basic_raw"
        /// `client_id` and `client_secret` in the request body (RFC 6749 § 2.3.1).
        case post
        /// `client_id` alone: a public client.
        case none
        /// A JWT under the client secret (RFC 7523 § 2.2).
        case clientSecretJWT = "client_secret_jwt"
        /// A JWT under the client's own key (RFC 7523 § 2.2).
        case privateKeyJWT = "private_key_jwt"
        /// The client's certificate (RFC 8705 § 2).
        case tls
    }

    public enum TokenRequestFormat: String, Sendable, CaseIterable {
        case form
        case json
        /// In the address: never logged, here as everywhere.
        case query
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
        /// The value comes with the client, never from a caller: it decides who is sent the client's secret.
        public internal(set) var setByOperator: Bool
    }

    /// What to keep beside the tokens, for whoever redeems.
    public struct Extras: Sendable {
        public var callback: [CallbackExtra] = []
        /// Members of the token response.
        public var token: [AnswerExtra] = []
    }

    /// A callback parameter, kept under its own name.
    public struct CallbackExtra: Sendable {
        public let name: String
        /// `nil`: any one line of printable text.
        public let pattern: Pattern?
    }

    /// A member of a provider's answer.
    public struct AnswerExtra: Sendable {
        /// The name that it is kept under.
        public let name: String
        public let pointer: JSONPointer
        /// `nil`: any number, any one line of printable text, and what consists of them.
        public let pattern: Pattern?
    }

    /// One more call with the new token: for what the API's base or the account is, or for a token that lasts.
    public struct AfterConnecting: Sendable {
        public let method: RequestMethod
        public let headers: [(name: String, value: ValueTemplate)]
        public let parameters: [(name: String, value: ValueTemplate?)]
        /// Members of its answer.
        public let extras: [AnswerExtra]
        /// Its answer is read as the token response.
        public let replacesToken: Bool
    }

    /// How the provider takes a token back, where that is not RFC 7009.
    public struct Revocation: Sendable {
        public enum Place: String, Sendable, CaseIterable {
            case form
            case json
            case query
            case bearer
            case path
        }

        public enum TokenType: String, Sendable, CaseIterable {
            case any
            case accessToken = "access_token"
            case refreshToken = "refresh_token"
        }

        public var method = RequestMethod.post
        public var place = Place.form
        public var tokenParameter = "token"
        public var authentication: ClientAuthentication
        public var parameters: [(name: String, value: ValueTemplate?)] = []
        public var headers: [(name: String, value: ValueTemplate)] = []
        public var tokenType = TokenType.any
    }

    /// Whose profile this is. For figures alone: no code asks which provider it holds.
    public internal(set) var sourceType: SourceType.ID?
    public internal(set) var addresses = Addresses()
    /// The `iss` that a callback must have where it has one (RFC 9207), and of an id_token. May hold placeholders.
    public internal(set) var issuer: String?
    public internal(set) var requireIssuer = false
    /// Addresses that the entry does not name come from the issuer's metadata (RFC 8414).
    public internal(set) var discovery = false
    /// OpenID Connect: a `nonce` goes out, an id_token comes back and is checked.
    public internal(set) var openID = false
    public internal(set) var jwksURL: URLTemplate?
    /// `nil`: the usual ones.
    package internal(set) var idTokenAlgorithms: Set<SignatureAlgorithm>?
    public internal(set) var pushedAuthorizationURL: URLTemplate?
    public internal(set) var requestObject = false
    public internal(set) var resources: [String] = []
    public internal(set) var dpop = false
    public internal(set) var scopes: [String] = []
    /// Added even where the caller gives its own list.
    public internal(set) var alwaysScopes: [String] = []
    public internal(set) var scopeSeparator = " "
    public internal(set) var scopeParameter = "scope"
    /// `nil`: left out.
    public internal(set) var authorizationParameters: [(name: String, value: String?)] = []
    public internal(set) var tokenParameters: [(name: String, value: ValueTemplate?)] = []
    public internal(set) var exchangeParameters: [(name: String, value: ValueTemplate?)] = []
    public internal(set) var refreshParameters: [(name: String, value: ValueTemplate?)] = []
    public internal(set) var tokenHeaders: [(name: String, value: String)] = []
    public internal(set) var clientAuthentication = ClientAuthentication.basic
    /// Each instance of the product has clients of its own, so that only who registered one says where its secret
    /// goes. `nil`: no parameter leads the secret anywhere.
    public internal(set) var clientPerInstance: Bool?
    public internal(set) var tokenRequestFormat = TokenRequestFormat.form
    public internal(set) var tokenMethod = RequestMethod.post
    public internal(set) var refreshMethod = RequestMethod.post
    public internal(set) var proofKey = ProofKey.s256
    public internal(set) var refreshToken = RefreshTokenRule.optional
    /// The provider's pages send `Cross-Origin-Opener-Policy`, which cuts a popup from its opener.
    public internal(set) var cutsOpener = false
    /// Callers may say whom to sign in and how (OpenID Connect Core § 3.1.2.1): `login_hint` and `prompt` go along.
    public internal(set) var hints = false
    /// Sorted by name.
    public internal(set) var parameters: [Parameter] = []
    /// The callback parameter that signs all others.
    public internal(set) var callbackSignature: String?
    public internal(set) var response = ResponseShape()
    public internal(set) var refreshResponse = ResponseShape()
    public internal(set) var extras = Extras()
    public internal(set) var afterConnecting: AfterConnecting?
    public internal(set) var revocation = Revocation(authentication: .basic)

    /// Whether a client of this entry has a secret to keep.
    public var needsSecret: Bool {
        switch clientAuthentication {
        case .basic, .basicRaw, .post, .clientSecretJWT: true
        case .privateKeyJWT, .tls: callbackSignature != nil
        case .none:
            callbackSignature != nil
                || (tokenParameters + exchangeParameters + refreshParameters)
                    .contains { $0.value?.names.contains("clientSecret") == true }
        }
    }

    /// Whether a client of this entry signs with a key of its own.
    public var needsKey: Bool { clientAuthentication == .privateKeyJWT || requestObject }

    /// Whether the provider takes tokens back, as far as the entry tells.
    public var hasRevocation: Bool { addresses.own.revocation != nil || discovery }
}
