/// The kinds of secret text that OAuth and this broker have; each is a type of its own.
public enum Use {
    /// The `state` of an authorization request (RFC 6749 § 4.1.1): finds the flow, and its code verifier and nonce are
    /// derived from it.
    public enum State {}
    /// The `code` that a callback brings (RFC 6749 § 4.1.2).
    public enum AuthorizationCode {}
    /// The `code_verifier` sent to a token endpoint (RFC 7636 § 4.1).
    public enum CodeVerifier {}
    /// The broker's own one-time key, with which an asset service redeems a flow's credentials
    /// (Docs/Contract.md#redeeming).
    public enum CredentialKey {}
    /// The verifier of a flow's `exchangeChallenge`: PKCE between the frontend and the broker, formed as RFC 7636 § 4.1
    /// says.
    public enum ExchangeVerifier {}
    /// The `client_secret` of an app at a provider (RFC 6749 § 2.3.1).
    public enum ClientSecret {}
    /// An access token of a provider (RFC 6749 § 1.4).
    public enum AccessToken {}
    /// A refresh token of a provider (RFC 6749 § 1.5).
    public enum RefreshToken {}
    /// A token to revoke, of either type (RFC 7009 § 2.1).
    public enum AccessOrRefreshToken {}
    /// An `id_token` (OpenID Connect Core § 2). Not a credential, but it holds personal data.
    public enum IDToken {}
    /// The token of a caller of the broker's own API (RFC 6750 § 1.2).
    public enum BearerToken {}
    /// The value of the cookie that proves which browser began a flow.
    public enum BindingCookie {}
    /// The `nonce` that binds an `id_token` to its flow (OpenID Connect Core § 3.1.2.1).
    public enum Nonce {}
}

/// 43 characters of base64url where the broker made it.
public typealias State = Secret<Use.State>
/// Works once at the provider; never stored.
public typealias AuthorizationCode = Secret<Use.AuthorizationCode>
/// Never stored: derived again when the callback comes.
public typealias CodeVerifier = Secret<Use.CodeVerifier>
/// `ckr_` and 43 characters of base64url.
public typealias CredentialKey = Secret<Use.CredentialKey>
/// 43 to 128 characters; stays in the frontend until redemption.
public typealias ExchangeVerifier = Secret<Use.ExchangeVerifier>
/// From the configuration, or sealed in the store for a tenant's own client.
public typealias ClientSecret = Secret<Use.ClientSecret>
/// Opaque to the broker.
public typealias AccessToken = Secret<Use.AccessToken>
/// Opaque to the broker.
public typealias RefreshToken = Secret<Use.RefreshToken>
/// Opaque to the broker.
public typealias AccessOrRefreshToken = Secret<Use.AccessOrRefreshToken>
/// A signed JWT, validated before it is handed on where the source type uses OpenID Connect.
public typealias IDToken = Secret<Use.IDToken>
/// 43 characters of base64url, derived from the state.
public typealias Nonce = Secret<Use.Nonce>
/// 86 characters of base64url: the outcome secret, and a code over it.
public typealias BindingCookie = Secret<Use.BindingCookie>
