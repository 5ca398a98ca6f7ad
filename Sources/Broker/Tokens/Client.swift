public import Secrets

/// The registration at a provider that this installation acts as.
public struct Client: Sendable {
    public let id: String
    /// `nil` for public clients.
    public let secret: ClientSecret?
    /// For `private_key_jwt` and request objects.
    public let key: ClientKey?
    /// For `tls`.
    public let certificate: ClientCertificate?
    /// Values of the catalog's parameters that only the operator sets.
    public let parameters: [String: String]
    /// A tenant's own app may ask for other scopes than the source type's; `nil`: it does not.
    public let scopes: [String]?

    public init(
        id: String, secret: ClientSecret?, key: ClientKey? = nil, certificate: ClientCertificate? = nil,
        parameters: [String: String] = [:], scopes: [String]? = nil
    ) {
        self.id = id
        self.secret = secret
        self.key = key
        self.certificate = certificate
        self.parameters = parameters
        self.scopes = scopes
    }
}

/// The files by which libcurl proves a client in the TLS handshake (RFC 8705).
public struct ClientCertificate: Sendable, Hashable {
    public let file: String
    public let keyFile: String

    public init(file: String, keyFile: String) {
        self.file = file
        self.keyFile = keyFile
    }
}
