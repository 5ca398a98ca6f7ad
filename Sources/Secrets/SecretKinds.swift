/// The kinds of secret text that OAuth and this broker have; each is a type of its own.
public enum Use {
    public enum State {}
    public enum AuthorizationCode {}
    public enum CodeVerifier {}
    public enum CredentialKey {}
    public enum ExchangeVerifier {}
    public enum ClientSecret {}
    public enum AccessToken {}
    public enum RefreshToken {}
    /// A token to revoke, of either type.
    public enum RevokedToken {}
    public enum IDToken {}
    public enum BindingCookie {}
    public enum Nonce {}
}

public typealias State = Secret<Use.State>
public typealias AuthorizationCode = Secret<Use.AuthorizationCode>
public typealias CodeVerifier = Secret<Use.CodeVerifier>
public typealias CredentialKey = Secret<Use.CredentialKey>
public typealias ExchangeVerifier = Secret<Use.ExchangeVerifier>
public typealias ClientSecret = Secret<Use.ClientSecret>
public typealias AccessToken = Secret<Use.AccessToken>
public typealias RefreshToken = Secret<Use.RefreshToken>
public typealias RevokedToken = Secret<Use.RevokedToken>
public typealias IDToken = Secret<Use.IDToken>
public typealias Nonce = Secret<Use.Nonce>
public typealias BindingCookie = Secret<Use.BindingCookie>
