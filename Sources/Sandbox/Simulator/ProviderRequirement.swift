/// The requirements of one provider on requests, and its answers, as the simulator plays it.
///
/// Written from what is known of the provider, never from the broker's catalog: the two are compared by running them
/// against each other. What is not known is not demanded. Members that are left out have the value of
/// ``ProviderRequirements/standard``; where a comment ends in a value or is nothing else, it is that one.
public struct ProviderRequirement: Decodable, Sendable {
    /// Each set of addresses that the provider lives at; at least one, and the first is where it lives by default.
    public let places: [Place]
    /// The requirements on the request that the browser brings to a place's `authorization`.
    public let consent: Consent
    /// The requirements on the request with the code, at a place's `token`.
    public let exchange: Exchange
    /// The shape of the token endpoint's answers, also at a refresh.
    public let answer: Answer
    /// Absent: no refresh tokens are given.
    public let refresh: Refresh?
    /// Absent: the exchange is the last call.
    public let afterConnecting: AfterConnecting?
    /// Every way that the provider takes a token back. Empty: none is known.
    public let revocations: [Revocation]
    /// The facts behind this that rest on general knowledge alone, not on the provider's documentation, by their own
    /// names.
    public let unverified: [String]
    /// The reason why this differs from the facts, where it does. For readers; nothing depends on it.
    public let remark: String?

    /// The provider's addresses for some of its accounts, whole and with their placeholders filled. A segment in
    /// braces, such as `{token}`, stands for any.
    public struct Place: Decodable, Sendable {
        /// The name by which the header `Simulator-Place` chooses it. `default`
        public let name: String
        /// The broker's parameters that lead a person here.
        public let parameters: [String: String]
        /// Parameters that refresh and revocation are told besides, since only the callback knew them.
        public let learned: [String: String]
        /// True if the parameters name a server that only an operator may choose.
        public let setByOperator: Bool
        /// The consent page.
        public let authorization: Choice
        /// The token endpoint.
        public let token: Choice
        /// Absent: as `token`.
        public let refresh: Choice?
        /// For those ``ProviderRequirement/revocations`` that have no address of their own.
        public let revocation: Choice?
        /// Absent: as `AfterConnecting.address`.
        public let afterConnecting: Choice?
        /// Consent parameters that are not demanded here.
        public let waived: [String]
        /// Added to the callback; ``Template`` texts.
        public let callback: [String: String]
        /// The moment that this place is there, in Unix seconds, for whoever sets the clock. Absent: any.
        public let moment: Int64?
        /// True if the account's tokens never expire and cannot be refreshed, though other accounts' can.
        public let lasting: Bool
    }

    /// The request that the browser brings (RFC 6749 § 4.1.1).
    public struct Consent: Decodable, Sendable {
        /// `code`; `-` means that it must not be sent.
        public let responseType: Choice
        /// `required`; where it is sent, it is the registered one.
        public let redirectURI: Presence
        /// Demanded with these values.
        public let parameters: [String: Choice]
        /// The requirements on the scopes that are asked for.
        public let scope: Scope
        /// `unknown`
        public let pkce: PKCE
        /// `S256`.
        public let challengeMethods: Choice
        /// Callback parameters that must be kept beside the tokens.
        public let keeps: [String]
        /// Names of the provider's own for `client_id` and `redirect_uri` in the consent request; `-` means that one must
        /// not be sent.
        public let names: [String: String]
        /// The callback parameter with the code. `code`
        public let codeParameter: String
        /// The address's fragment. One that begins with a slash has the parameters behind it, as the page of a
        /// single-page application reads them; any other must be there as it is.
        public let fragment: String?
        /// True if a `nonce` must be sent. `false`
        public let nonce: Bool
        /// The text that stands for the registered redirect address in requests. Absent: the address itself.
        public let redirectAlias: String?
        /// Named here: the callback is signed by this parameter, in hex HMAC-SHA-256 under the client's secret over the
        /// other parameters, sorted by name.
        public let signature: String?
    }

    /// The scopes of a consent request (RFC 6749 § 3.3).
    public struct Scope: Decodable, Sendable {
        /// `scope`
        public let parameter: String
        /// A space.
        public let separator: String
        /// Scopes that may be asked for; where there are none, `presence` does not count.
        public let examples: [String]
        /// `required`; `optional` where the scopes may also be set on the app.
        public let presence: Presence
        /// True if nothing but the examples exists; where there are none, the parameter must not be sent. `true`
        public let known: Bool
        /// One of these must be asked for: without it no refresh token is given.
        public let always: Choice?
    }

    /// The need for a parameter.
    public enum Presence: String, Decodable, Sendable {
        /// A request without it is refused.
        case required
        /// It may be left out.
        case optional
    }

    /// The provider's way with a `code_challenge` in the consent request (RFC 7636 § 4.3).
    public enum PKCE: String, Decodable, Sendable {
        /// The provider refuses a request without one (RFC 7636 § 4.4.1).
        case required
        /// The provider verifies it; the simulator requires it, since nothing speaks for leaving it off.
        case verified
        /// Not known: taken and verified where it is sent.
        case unknown
        /// Must not be sent.
        case refused
    }

    /// The request that trades the code (RFC 6749 § 4.1.3).
    public struct Exchange: Decodable, Sendable {
        /// `POST`
        public let method: Choice
        /// `form`; or `json`, `query`
        public let format: Choice
        /// `post`; or `basic` (RFC 6749 § 2.3.1), `basic_raw` (without the form encoding, RFC 7617 § 2), `none`, `hash` or `assertion`. Whatever is not named is refused.
        public let authentication: Choice
        /// `authorization_code`; `-` means that it need not be sent.
        public let grantType: Choice
        /// `code`
        public let codeParameter: String
        /// `required`; where it is sent, it is the registered one.
        public let redirectURI: Presence
        /// Demanded with these values; ``Template`` texts, and `*` is any. They hold for a refresh too, unless it has its
        /// own.
        public let headers: [String: String]
        /// Demanded with these values; ``Template`` texts.
        public let parameters: [String: String]
        /// The parameter with the client id, also where a token is refreshed or revoked; `-` means that it must not be
        /// sent. `client_id`
        public let clientIdParameter: String
        /// The client secret is a JWT of the client's key. Absent: it is the client's own.
        public let minted: Minted?
        /// True if the client must show a certificate besides, also where a token is refreshed or revoked. `false`
        public let certificate: Bool
    }

    /// The JWT that a provider takes for a client secret.
    public struct Minted: Decodable, Sendable {
        /// Its `iss`.
        public let issuer: String
        /// Its `aud`.
        public let audience: String
    }

    /// The answers of the token endpoint.
    public struct Answer: Decodable, Sendable {
        /// A ``Template``. Absent: RFC 6749 § 5.1.
        public let body: JSON?
        /// `json`
        public let encoding: Encoding
        /// `status`
        public let failure: Failure
        /// The life of an access token in seconds, for `{lifetime}`. 3600
        public let lifetime: Int64
        /// `told`
        public let expiry: Expiry
        /// Text before the JSON. Absent: none.
        public let prefix: String?
        /// Pointers (RFC 6901 § 3) to members that must be kept beside the tokens.
        public let keeps: [String]

        /// The format of an answer.
        public enum Encoding: String, Decodable, Sendable {
            /// JSON, whatever `Accept` says.
            case json
            /// Form encoding, unless `Accept` asks for JSON.
            case formUnlessAsked
        }

        /// The form of a refusal by the token endpoint.
        public enum Failure: String, Decodable, Sendable {
            /// With status 400 or 401 (RFC 6749 § 5.2).
            case status
            /// With status 200 and the member `error`.
            case ok
            /// With status 200, `"ok": false` and the member `error`.
            case okFalse
        }

        /// The end of the access token, as far as the answer tells it.
        public enum Expiry: String, Decodable, Sendable {
            /// In the answer: after `lifetime`.
            case told
            /// The token does not expire.
            case never
            /// There is one, and the answer is silent about it.
            case untold
        }
    }

    /// The request that renews a token (RFC 6749 § 6). A member that is absent by default is as at the exchange.
    public struct Refresh: Decodable, Sendable {
        /// Absent: as at the exchange.
        public let method: Choice?
        /// Absent: as at the exchange.
        public let format: Choice?
        /// Absent: as at the exchange.
        public let authentication: Choice?
        /// `refresh_token`
        public let grantType: Choice
        /// The parameter that carries the token; `*` is any. `refresh_token`
        public let tokenParameter: Choice
        /// Absent: as at the exchange.
        public let headers: [String: String]?
        /// Demanded with these values; ``Template`` texts. The exchange's do not count here.
        public let parameters: [String: String]
        /// `refreshToken`
        public let sends: Sends
        /// `varies`
        public let rotation: Rotation
        /// A ``Template``. Absent: the exchange's.
        public let body: JSON?
        /// The seconds before the access token's end from which on a refresh is taken. Absent: at any time.
        public let notBefore: Int64?

        /// The token that a refresh request carries.
        public enum Sends: String, Decodable, Sendable {
            /// The refresh token, as RFC 6749 § 6 has it.
            case refreshToken
            /// The access token renews itself.
            case accessToken
        }

        /// The refresh token in the answer to a refresh (RFC 6749 § 6), and the fate of the old one.
        public enum Rotation: String, Decodable, Sendable {
            /// The answer has no refresh token: the old one stays good.
            case kept
            /// The answer has another, and the old one is dead.
            case rotates
            /// The answer has another, and the old one lives on for a while.
            case lingers
            /// Not known: every second answer has another, and the old one stays good.
            case varies
        }
    }

    /// A call with the new token, to learn more or to swap the token for one that lasts.
    public struct AfterConnecting: Decodable, Sendable {
        /// The call's address, unless the place has one of its own.
        public let address: Choice
        /// `GET`
        public let method: Choice
        /// The word before the token in `Authorization`; `-` means that the token is a parameter. `Bearer`
        public let scheme: String
        /// Demanded with these values; ``Template`` texts. A `grant_type` among them tells the call from an exchange.
        public let parameters: [String: String]
        /// The parameter that carries the token, where one does; `*` is any. `access_token`
        public let tokenParameter: Choice
        /// True if the answer's token takes the first one's place.
        public let swaps: Bool
        /// A ``Template``.
        public let body: JSON
        /// Pointers (RFC 6901 § 3) to members of the answer that must be kept beside the tokens.
        public let keeps: [String]
    }

    /// One way in which the provider takes a token back: that of RFC 7009 § 2.1 or its own.
    public struct Revocation: Decodable, Sendable {
        /// Absent: as the place says.
        public let address: Choice?
        /// `POST`
        public let method: Choice
        /// The place in which the token travels: `form`, `json`, `query`, `bearer` or `path`. `form`
        public let token: Choice
        /// `token`; `*` is any.
        public let tokenParameter: Choice
        /// `basic`, `post` or `none`; `*` means that it is not known. `*`
        public let authentication: Choice
        /// Demanded with these values; `*` is any.
        public let headers: [String: String]
        /// Demanded with these values; ``Template`` texts.
        public let parameters: [String: String]
        /// `any`
        public let accepts: Accepts
        /// True if the broker need not offer it: the fact is unverified or the catalog cannot say it.
        public let optional: Bool
        /// The status of success: 204 goes without a body, and anything else is answered as 200 with `{}`. 200
        public let status: Int

        /// The kinds of tokens that a way of revocation takes; never a code.
        public enum Accepts: String, Decodable, Sendable {
            /// Access tokens and refresh tokens.
            case any
            /// Access tokens alone.
            case accessToken
            /// Refresh tokens alone.
            case refreshToken
        }
    }
}
