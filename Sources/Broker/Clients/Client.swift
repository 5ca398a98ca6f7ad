import Formats
public import JOSE
public import Secrets
public import Transport

/// The registration (client) at a provider that the broker acts as (RFC 6749 § 2).
public final class Client: Sendable {
    /// The `client_id`; public, and compared byte for byte with the one that a flow began with.
    public let id: String
    /// The `client_secret`; `nil` for public clients and those with a key or certificate alone.
    public let secret: ClientSecret?
    /// The key that signs client assertions (`private_key_jwt`) and request objects; `nil` where it has none.
    public let key: JWSSigner?
    /// The certificate for mutual TLS (RFC 8705 § 2); `nil` where it has none.
    public let certificate: ClientCertificate?
    /// Values of the source type's parameters that only the operator sets.
    public let parameters: [String: String]
    /// The scopes that a tenant's own client asks for in place of the source type's; `nil` where it does not, and for
    /// the installation's.
    public let scopes: [String]?
    /// True if its callbacks come to `/oauth/callback` itself, as all once did: only until the new address is
    /// registered.
    public let usesLegacyRedirect: Bool
    /// The tenant that brought it; `nil` for the installation's.
    let owner: TenantID?

    /// Makes a client of the installation. Checks nothing; the configuration's reader does.
    public convenience init(
        id: String, secret: ClientSecret?, key: JWSSigner? = nil, certificate: ClientCertificate? = nil,
        parameters: [String: String] = [:], usesLegacyRedirect: Bool = false
    ) {
        self.init(
            id: id, secret: secret, key: key, certificate: certificate, parameters: parameters, scopes: nil,
            usesLegacyRedirect: usesLegacyRedirect, owner: nil)
    }

    /// A tenant's own client.
    convenience init(_ kept: KeptClient, of tenant: TenantID, secret: ClientSecret?) {
        self.init(
            id: kept.id, secret: secret, key: nil, certificate: nil, parameters: kept.parameters, scopes: kept.scopes,
            usesLegacyRedirect: false, owner: tenant)
    }

    /// The same client with another secret.
    func with(secret: ClientSecret) -> Client {
        Client(
            id: id, secret: secret, key: key, certificate: certificate, parameters: parameters, scopes: scopes,
            usesLegacyRedirect: usesLegacyRedirect, owner: owner)
    }

    /// The same client with other values of parameters.
    func with(parameters: [String: String]) -> Client {
        Client(
            id: id, secret: secret, key: key, certificate: certificate, parameters: parameters, scopes: scopes,
            usesLegacyRedirect: usesLegacyRedirect, owner: owner)
    }

    private init(
        id: String, secret: ClientSecret?, key: JWSSigner?, certificate: ClientCertificate?,
        parameters: [String: String], scopes: [String]?, usesLegacyRedirect: Bool, owner: TenantID?
    ) {
        self.id = id
        self.secret = secret
        self.key = key
        self.certificate = certificate
        self.parameters = parameters
        self.scopes = scopes
        self.usesLegacyRedirect = usesLegacyRedirect
        self.owner = owner
    }
}
