public import JOSE
public import Secrets
public import Transport

/// The registration at a provider that this installation acts as.
public struct Client: Sendable {
    public let id: String
    /// `nil` for public clients.
    public let secret: ClientSecret?
    /// For `private_key_jwt` and request objects.
    public let key: JWSSigner?
    /// For `tls`.
    public let certificate: ClientCertificate?
    /// Values of the catalog's parameters that only the operator sets.
    public let parameters: [String: String]
    /// A tenant's own app may ask for other scopes than the source type's; `nil`: it does not.
    public let scopes: [String]?
    /// Its flows come back to `/oauth/callback`, as all did once: only until the new address is registered.
    public let usesLegacyRedirect: Bool
    /// The tenant that brought it; `nil`: it is the installation's.
    let owner: TenantID?

    public init(
        id: String, secret: ClientSecret?, key: JWSSigner? = nil, certificate: ClientCertificate? = nil,
        parameters: [String: String] = [:], usesLegacyRedirect: Bool = false
    ) {
        self.init(
            id: id, secret: secret, key: key, certificate: certificate, parameters: parameters, scopes: nil,
            usesLegacyRedirect: usesLegacyRedirect, owner: nil)
    }

    /// A tenant's own client.
    init(_ kept: KeptClient, of tenant: TenantID, secret: ClientSecret?) {
        self.init(
            id: kept.id, secret: secret, key: nil, certificate: nil, parameters: kept.parameters, scopes: kept.scopes,
            usesLegacyRedirect: false, owner: tenant)
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
