/// What one provider demands and what it answers, as the simulator plays it.
///
/// Written from what is known of the provider, never from the broker's catalog: the two are compared by running them
/// against each other. What is not known is not demanded. Members that are left out have the value of
/// ``Demands/standard``.
public struct Demand: Decodable, Sendable {
    /// Each set of addresses that the provider lives at; at least one, and the first is where it lives by default.
    public let places: [Place]
    public let consent: Consent
    public let exchange: Exchange
    public let answer: Answer
    /// Absent: no refresh tokens are given.
    public let refresh: Refresh?
    public let afterConnecting: AfterConnecting?
    /// Every way that the provider takes a token back. Empty: none is known.
    public let revocations: [Revocation]
    /// What of this rests on general knowledge alone, by the fact's own name.
    public let unverified: [String]
    /// Why this differs from the facts, where it does.
    public let remark: String?

    /// Where the provider lives for some of its accounts, with the placeholders of its addresses filled.
    public struct Place: Decodable, Sendable {
        public let name: String
        /// What whoever connects says to be led here.
        public let parameters: [String: String]
        /// What refresh and revocation must be told besides, since only the callback knew it.
        public let learned: [String: String]
        /// The parameters name a server that only an operator may choose.
        public let setByOperator: Bool
        public let authorization: Choice
        public let token: Choice
        /// Absent: as `token`.
        public let refresh: Choice?
        public let revocation: Choice?
        /// Absent: as `AfterConnecting.address`.
        public let afterConnecting: Choice?
        /// Consent parameters that are not demanded here.
        public let waived: [String]
        /// Added to the callback; ``Template`` texts.
        public let callback: [String: String]
        /// The moment that this place is there, in Unix seconds, for whoever sets the clock. Absent: any.
        public let moment: Int64?
        /// The account's tokens never expire and cannot be refreshed, though other accounts' can.
        public let lasting: Bool
    }

    /// The request that the browser brings (RFC 6749 § 4.1.1).
    public struct Consent: Decodable, Sendable {
        /// `code`; `-` means that it must not be sent.
        public let responseType: Choice
        public let redirectURI: Presence
        /// Demanded with these values.
        public let parameters: [String: Choice]
        public let scope: Scope
        public let pkce: PKCE
        /// `S256`.
        public let challengeMethods: Choice
        /// Callback parameters that must be kept beside the tokens.
        public let keeps: [String]
        /// Named here: the callback is signed by this parameter, in hex HMAC-SHA-256 under the client's secret over the
        /// other parameters, sorted by name.
        public let signature: String?
    }

    public struct Scope: Decodable, Sendable {
        /// `scope`
        public let parameter: String
        /// A space.
        public let separator: String
        /// What may be asked for; where there are none, `presence` does not count.
        public let examples: [String]
        /// `optional`: the scopes may also be set on the app.
        public let presence: Presence
        /// Nothing but the examples exists; where there are none, the parameter must not be sent.
        public let known: Bool
        /// Must be asked for: without one of them no refresh token is given.
        public let always: Choice?
    }

    public enum Presence: String, Decodable, Sendable {
        case required
        case optional
    }

    public enum PKCE: String, Decodable, Sendable {
        /// The provider refuses a request without.
        case required
        /// The provider verifies it; the simulator demands it, since nothing speaks for leaving it off.
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
        /// `post`; or `basic` (RFC 6749 § 2.3.1), `none`, `hash` or `assertion`. Whatever is not named is refused.
        public let authentication: Choice
        /// `authorization_code`; `-` means that it need not be sent.
        public let grantType: Choice
        /// `code`
        public let codeParameter: String
        public let redirectURI: Presence
        /// Demanded with these values; `*` is any.
        public let headers: [String: String]
        /// Demanded with these values; ``Template`` texts.
        public let parameters: [String: String]
    }

    public struct Answer: Decodable, Sendable {
        /// A ``Template``. Absent: RFC 6749 § 5.1.
        public let body: JSON?
        public let encoding: Encoding
        public let failure: Failure
        /// Seconds, for `{lifetime}`.
        public let lifetime: Int64
        public let expiry: Expiry
        /// Pointers (RFC 6901) to what must be kept beside the tokens.
        public let keeps: [String]

        public enum Encoding: String, Decodable, Sendable {
            case json
            /// Form encoding, unless `Accept` asks for JSON.
            case formUnlessAsked
        }

        /// How the token endpoint says no.
        public enum Failure: String, Decodable, Sendable {
            /// With status 400 or 401 (RFC 6749 § 5.2).
            case status
            /// With status 200 and the member `error`.
            case ok
            /// With status 200, `"ok": false` and the member `error`.
            case okFalse
        }

        /// What the answer lets one know of the access token's end.
        public enum Expiry: String, Decodable, Sendable {
            case told
            case never
            /// There is one, and the answer is silent about it.
            case untold
        }
    }

    public struct Refresh: Decodable, Sendable {
        /// Absent, here and below: as at the exchange.
        public let method: Choice?
        public let format: Choice?
        public let authentication: Choice?
        /// `refresh_token`
        public let grantType: Choice
        /// Which parameter carries the token; `*` is any. `refresh_token`
        public let tokenParameter: Choice
        public let headers: [String: String]?
        public let parameters: [String: String]
        public let sends: Sends
        public let rotation: Rotation
        /// A ``Template``. Absent: the exchange's.
        public let body: JSON?

        public enum Sends: String, Decodable, Sendable {
            case refreshToken
            /// The access token renews itself.
            case accessToken
        }

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
        public let address: Choice
        /// `GET`
        public let method: Choice
        /// The word before the token in `Authorization`; `-` means that the token is a parameter. `Bearer`
        public let scheme: String
        public let parameters: [String: String]
        /// Which parameter carries the token, where one does; `*` is any.
        public let tokenParameter: Choice
        /// Whether the answer's token takes the first one's place.
        public let swaps: Bool
        /// A ``Template``.
        public let body: JSON
        public let keeps: [String]
    }

    public struct Revocation: Decodable, Sendable {
        /// Absent: as the place says.
        public let address: Choice?
        /// `POST`
        public let method: Choice
        /// Where the token travels: `form`, `json`, `query`, `bearer` or `path`. `form`
        public let token: Choice
        /// `token`; `*` is any.
        public let tokenParameter: Choice
        /// `basic`, `post` or `none`; `*` means that it is not known. `*`
        public let authentication: Choice
        public let headers: [String: String]
        public let parameters: [String: String]
        public let accepts: Accepts
        /// The broker need not offer it: the fact is unverified or the catalog cannot say it.
        public let optional: Bool
        /// 200
        public let status: Int

        public enum Accepts: String, Decodable, Sendable {
            case any
            case accessToken
            case refreshToken
        }
    }
}
