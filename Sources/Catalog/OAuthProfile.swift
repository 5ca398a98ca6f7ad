public import Formats
package import Secrets

/// One provider's way of doing OAuth 2.0. `Docs/Catalog.md` describes the keys that it is read from.
///
/// A class: each step of each flow hands it on, and copying its fifty fields would cost more than the step.
///
/// `@unchecked Sendable`: its variables are set while the catalog is read, by the one thread that reads, before anybody
/// else has it; nothing outside this module can set them.
public final class OAuthProfile: @unchecked Sendable {
    /// The ways in which a client proves itself at a provider's endpoints (RFC 6749 § 2.3). Raw values are the
    /// catalog's.
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

        /// The names that metadata has for them (OpenID Connect Core § 9, RFC 8705 § 2), where they are others than ours.
        static let namesInMetadata = [
            "client_secret_basic": "basic", "client_secret_post": "post", "tls_client_auth": "tls",
            "self_signed_tls_client_auth": "tls",
        ]

        /// Tells whether it is the client secret that proves the client.
        package var usesSecret: Bool {
            switch self {
            case .basic, .basicRaw, .post, .clientSecretJWT: true
            case .none, .privateKeyJWT, .tls: false
            }
        }
    }

    /// The places of a token request's parameters. RFC 6749 § 4.1.3 knows the form alone; a GET always sends a query.
    public enum TokenRequestFormat: String, Sendable, CaseIterable {
        /// `application/x-www-form-urlencoded`, in the body.
        case form
        /// A JSON object, in the body.
        case json
        /// In the address, which is never logged.
        case query
    }

    /// The `code_challenge_method` of flows (RFC 7636 § 4.3).
    public enum ProofKey: String, Sendable, CaseIterable {
        /// The challenge is the verifier's SHA-256 (RFC 7636 § 4.2).
        case s256 = "S256"
        /// RFC 7636 § 4.2 allows `plain` only to clients that cannot hash; some providers know nothing else.
        case plain
        /// No challenge and no verifier are sent: the provider knows no PKCE.
        case none
    }

    /// Tells whether credentials without a refresh token get a warning.
    public enum RefreshTokenRule: String, Sendable, CaseIterable {
        /// Its absence is warned of.
        case expected
        /// It may be absent without a warning.
        case optional
        /// The provider gives none.
        case never
    }

    /// A value that the provider's addresses or requests need, such as a subdomain. The person who connects supplies
    /// it, or the operator.
    public struct Parameter: Sendable {
        /// The name in a call's `parameters`, and of the placeholder.
        public let name: String
        /// Words for the frontend's form; may be empty.
        public let description: String
        /// Matches the whole value; a default is checked against it as well.
        public let pattern: Pattern
        /// A call without the value is refused, unless there is a default.
        public let required: Bool
        /// The value where the caller gives none.
        public let defaultValue: String?
        /// The value comes with the client, never from a caller: it decides who is sent the client's secret.
        public internal(set) var setByOperator: Bool
    }

    /// The values that are kept beside the tokens, for the service that redeems them.
    public struct Extras: Sendable {
        /// Parameters of the callback.
        public var callback: [CallbackExtra] = []
        /// Members of the token response.
        public var token: [AnswerExtra] = []
        /// Values that the broker knows itself, with the names that they are kept under.
        package var known: [(name: String, value: String)] = []
    }

    /// A callback parameter, kept under its own name.
    public struct CallbackExtra: Sendable {
        /// As the provider sends it.
        public let name: String
        /// `nil`: any one line of printable text.
        public let pattern: Pattern?
    }

    /// A member of a provider's answer.
    public struct AnswerExtra: Sendable {
        /// The name that it is kept under.
        public let name: String
        /// The member's place in the answer (RFC 6901 § 3).
        public let pointer: JSONPointer
        /// `nil`: any number, any one line of printable text, and what consists of them.
        public let pattern: Pattern?
    }

    /// One more call with the new token: for what the API's base or the account is, or for a token that lasts.
    public struct AfterConnecting: Sendable {
        /// GET or POST.
        public let method: RequestMethod
        /// With `Authorization` among them where the entry names no headers and no parameter holds the token.
        public let headers: [(name: String, value: ValueTemplate)]
        /// The query of a GET, or the form of a POST. One without a value is not sent.
        public let parameters: [(name: String, value: ValueTemplate?)]
        /// Members of its answer.
        public let extras: [AnswerExtra]
        /// Its answer is read as the token response. A failure then fails the flow; else it costs the extras alone.
        public let replacesToken: Bool
    }

    /// Names of a provider's own under which its callbacks tell an error: the first that has a value counts.
    public struct CallbackErrorNames: Sendable {
        /// Beside `error` of RFC 6749 § 4.1.2.1.
        public var error: [String] = []
        /// Beside `error_description`.
        public var description: [String] = []
    }

    /// The provider's way of taking a token back. The defaults are those of RFC 7009 § 2.1.
    public struct Revocation: Sendable {
        /// The part of a revocation request that carries the token.
        public enum Place: String, Sendable, CaseIterable {
            /// In the form, as `tokenParameter`.
            case form
            /// In a JSON object, as `tokenParameter`.
            case json
            /// In the query, as `tokenParameter`.
            case query
            /// In the `Authorization` header.
            case bearer
            /// As `{token}` in the address.
            case path
        }

        /// The tokens that the provider takes back. Raw values are those of `token_type_hint` (RFC 7009 § 2.1), and
        /// `any`.
        public enum TokenType: String, Sendable, CaseIterable {
            /// Both.
            case any
            /// Access tokens alone.
            case accessToken = "access_token"
            /// Refresh tokens alone.
            case refreshToken = "refresh_token"
        }

        /// POST, GET or DELETE.
        public var method = RequestMethod.post
        /// The part of the request that carries the token.
        public var place = Place.form
        /// The token's name in a form, a JSON object or a query.
        public var tokenParameter = "token"
        /// The token endpoint's unless the entry says otherwise; with `bearer`, none.
        public var authentication: ClientAuthentication
        /// Sent along, in place of any of the same name; `nil` leaves one out.
        public var parameters: [(name: String, value: ValueTemplate?)] = []
        /// Sent along. A header with a value missing is left out.
        public var headers: [(name: String, value: ValueTemplate)] = []
        /// A call that hints at a token of another type is refused before the provider is asked.
        public var tokenType = TokenType.any
        /// The provider's words for a token that is none any more.
        public var goneErrors: Set<FoldedText> = []
    }

    /// The entry's name, for metrics, spans and the redirect address: no code asks which provider it holds.
    public internal(set) var sourceType: SourceType.ID?
    /// The addresses by region and by date, placeholders unfilled.
    public internal(set) var addresses = Addresses()
    /// The parameter whose value is the address of a protected resource, from which everything else is found
    /// (RFC 9728). `nil`: the entry names its provider.
    public internal(set) var resourceParameter: String?
    /// The `iss` that a callback must have where it has one (RFC 9207 § 2.4), and of an id_token. May hold
    /// placeholders.
    public internal(set) var issuer: String?
    /// A callback without `iss` is refused; else only one with a wrong `iss` is.
    public internal(set) var requireIssuer = false
    /// Addresses that the entry does not name come from the issuer's metadata (RFC 8414 § 3).
    public internal(set) var discovery = false
    /// OpenID Connect: a `nonce` goes out, an id_token comes back and is checked.
    public internal(set) var openID = false
    /// The address of the keys that sign id_tokens. `nil`: the metadata's `jwks_uri`.
    public internal(set) var jwksURL: URLTemplate?
    /// The `alg` values that an id_token may have. `nil`: the usual ones (Docs/Catalog.md#openid-connect-and-metadata).
    package internal(set) var idTokenAlgorithms: Set<SignatureAlgorithm>?
    /// The address that takes the authorization request first (RFC 9126 § 2). `nil`: pushed only where the metadata
    /// demands it.
    public internal(set) var pushedAuthorizationURL: URLTemplate?
    /// The authorization request travels as a JWT that the client's key signed (RFC 9101 § 4).
    public internal(set) var requestObject = false
    /// Sent as `resource` to the authorization and token endpoints (RFC 8707 § 2).
    public internal(set) var resources: [String] = []
    /// Tokens are bound to a key that is made for each grant (RFC 9449 § 5).
    public internal(set) var dpop = false
    /// Asked for unless the caller or the tenant's client names others. May hold placeholders.
    public internal(set) var scopes: [String] = []
    /// Added even where the caller gives its own list.
    public internal(set) var alwaysScopes: [String] = []
    /// Stands between scopes in requests. RFC 6749 § 3.3 has a space.
    public internal(set) var scopeSeparator = " "
    /// The name of the authorization request's scope parameter.
    public internal(set) var scopeParameter = "scope"
    /// Other names of scopes in what comes back.
    public internal(set) var scopeAliases: [ScopeAlias] = []
    /// Sent with each authorization request; may hold parameters and `{clientId}`. `nil` leaves `response_type` or the
    /// scope out.
    public internal(set) var authorizationParameters: [(name: String, value: ValueTemplate?)] = []
    /// Other names of `client_id` and `redirect_uri` in the authorization request; `nil` leaves one out.
    public internal(set) var authorizationNames: [(name: String, other: String?)] = []
    /// Sent as `redirect_uri` in place of the broker's address, which the provider knows by this name.
    public internal(set) var redirectURI: ValueTemplate?
    /// A `nonce` goes out though no id_token comes back that is checked. With `openID` it goes out anyway.
    public internal(set) var nonce = false
    /// Sent with exchange and refresh, under names that are free.
    public internal(set) var tokenParameters: [(name: String, value: ValueTemplate?)] = []
    /// Sent with the exchange, in place of any of the same name (RFC 6749 § 4.1.3); `nil` leaves one out.
    public internal(set) var exchangeParameters: [(name: String, value: ValueTemplate?)] = []
    /// Sent with a refresh, in place of any of the same name (RFC 6749 § 6); `nil` leaves one out.
    public internal(set) var refreshParameters: [(name: String, value: ValueTemplate?)] = []
    /// Sent with exchange and refresh; may hold parameters, `{clientId}` and `{clientSecret}`.
    public internal(set) var tokenHeaders: [(name: String, value: ValueTemplate)] = []
    /// The way in which the client proves itself at the token endpoint; `revocation` may have another.
    public internal(set) var clientAuthentication = ClientAuthentication.basic
    /// The client secret is a JWT that the client's key signs for each request. `nil`: it is the client's own.
    public internal(set) var mintedSecret: MintedSecret?
    /// The client's certificate is shown besides what `clientAuthentication` sends, also where tokens are revoked.
    public internal(set) var clientCertificate = false
    /// True: a client is good at one instance of the product, so the operator who registered it sets the parameters
    /// that choose the host. False: one client serves all instances. `nil`: no parameter chooses a host that is sent
    /// the secret.
    public internal(set) var clientPerInstance: Bool?
    /// The format of exchange and refresh.
    public internal(set) var tokenRequestFormat = TokenRequestFormat.form
    /// The method of the exchange: POST or GET.
    public internal(set) var tokenMethod = RequestMethod.post
    /// The method of a refresh; `tokenMethod` unless the entry says otherwise.
    public internal(set) var refreshMethod = RequestMethod.post
    /// The PKCE method of each flow.
    public internal(set) var proofKey = ProofKey.s256
    /// `expected` where offline access is asked for, unless the entry says otherwise.
    public internal(set) var refreshToken = RefreshTokenRule.optional
    /// The seconds before an access token's end from which on the provider refreshes. `nil`: at any time.
    public internal(set) var refreshNotBefore: Int?
    /// The provider's words for a grant that is dead, besides `invalid_grant`.
    public internal(set) var reauthorizationErrors: Set<FoldedText> = []
    /// The provider's pages send `Cross-Origin-Opener-Policy`, which cuts a popup from its opener.
    public internal(set) var cutsOpener = false
    /// Callers may say whom to sign in and how (OpenID Connect Core § 3.1.2.1): `login_hint` and `prompt` go along.
    public internal(set) var hints = false
    /// Sorted by name. Where the entry has regions, `region` is among them.
    public internal(set) var parameters: [Parameter] = []
    /// The callback parameter that holds the code (RFC 6749 § 4.1.2 has `code`).
    public internal(set) var callbackCode = "code"
    /// What the provider tells and wants to be told again.
    public internal(set) var learned: [LearnedValue] = []
    /// The callback parameter that signs all others, under the client's secret (Docs/Catalog.md#the-callback). `nil`:
    /// callbacks are not signed.
    public internal(set) var callbackSignature: String?
    /// Names of the provider's own under which its callbacks tell an error.
    public internal(set) var callbackError = CallbackErrorNames()
    /// The form of the exchange's answer.
    public internal(set) var response = ResponseShape()
    /// The form of a refresh's answer: `response`, unless the entry describes it by itself.
    public internal(set) var refreshResponse = ResponseShape()
    /// Values of the callback and of the token response that are kept beside the tokens.
    public internal(set) var extras = Extras()
    /// `nil`: no further call is made with the new token.
    public internal(set) var afterConnecting: AfterConnecting?
    /// Counts only where there is an address to revoke at.
    public internal(set) var revocation = Revocation(authentication: .basic)

    /// The facts that nobody has confirmed, in the file's order.
    public internal(set) var unverified: [UnverifiedFact] = []

    init() {}

    /// Tells whether a client of this entry has a secret to keep: to prove itself, to fill a parameter, or to check
    /// signed callbacks.
    public var needsSecret: Bool { needsSecretForTokens || revokesWithSecret || connectsWithSecret }

    /// The same of the token endpoint and the callback alone.
    var needsSecretForTokens: Bool {
        (clientAuthentication.usesSecret && mintedSecret == nil) || callbackSignature != nil
            || Self.holdSecret(tokenParameters + exchangeParameters + refreshParameters, tokenHeaders)
    }

    private var revokesWithSecret: Bool {
        hasRevocation
            && ((revocation.authentication.usesSecret && mintedSecret == nil)
                || Self.holdSecret(revocation.parameters, revocation.headers))
    }

    /// Tells whether the call after connecting holds the secret.
    var connectsWithSecret: Bool { afterConnecting.map { Self.holdSecret($0.parameters, $0.headers) } ?? false }

    /// Tells whether the client's secret is put into one of these.
    static func holdSecret(
        _ parameters: [(name: String, value: ValueTemplate?)], _ headers: [(name: String, value: ValueTemplate)] = []
    ) -> Bool {
        (parameters.compactMap(\.value) + headers.map(\.value)).contains { $0.names.contains("clientSecret") }
    }

    /// Tells whether a client of this entry signs with a key of its own.
    public var needsKey: Bool { clientAuthentication == .privateKeyJWT || requestObject || mintedSecret != nil }

    /// Tells whether a client of this entry shows a certificate.
    public var needsCertificate: Bool { clientAuthentication == .tls || clientCertificate }

    /// Tells whether the provider takes tokens back, as far as the entry tells: by an address, be it that of one region
    /// or date, or perhaps by the issuer's metadata.
    public var hasRevocation: Bool {
        discovery || resourceParameter != nil || addresses.sets.contains { $0.revocation != nil }
    }
}
