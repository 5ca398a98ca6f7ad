public import Formats
public import Secrets

/// The credentials that a redemption or a refresh gave. They print as nothing but their type.
public struct RedeemedCredentials: Sendable, Redacted {
    public let accessToken: AccessToken
    /// `nil`: the provider gave none; access ends with the access token.
    public let refreshToken: RefreshToken?
    /// For the `Authorization` header of the provider's API; mostly `Bearer`.
    public let tokenType: String
    /// `nil` where nobody knows, or where the access token does not expire.
    public let expiresAt: Timestamp?
    /// What was granted, separated by spaces; `nil` means what was asked for (RFC 6749 § 5.1).
    public let scope: String?
    /// The source type that was connected. Compare it with the one that was meant: a key says nothing of it.
    public let sourceType: String
    /// An `id_token` that the broker has checked.
    public let idToken: IDToken?
    /// What the broker keeps beside the tokens, such as the address of the account's API.
    public let extras: CredentialExtras
    /// What will be a problem later, such as `missing_refresh_token`.
    public let warnings: [String]

    /// The part that has to be kept for a later refresh.
    public var tokens: GrantedTokens {
        GrantedTokens(accessToken: accessToken, refreshToken: refreshToken, expiresAt: expiresAt)
    }
}

/// Values of any kind by their names. Some are secret, such as the key that the tokens are bound to (`dpopKey`), so
/// they print as nothing but their type.
public struct CredentialExtras: Sendable, Redacted {
    private let members: [String: JSONValue]

    init(_ members: [String: JSONValue]) {
        self.members = members
    }

    /// Sorted.
    public var names: [String] { members.keys.sorted() }

    /// Hands the values to `use`, and nowhere else.
    public func expose<Result, Failure: Error>(
        _ use: ([String: JSONValue]) throws(Failure) -> Result
    ) throws(Failure) -> Result { try use(members) }
}
