/// The metadata at `/.well-known/oauth-authorization-server` (RFC 8414 § 2; `sendsIssuer` is of RFC 9207 § 3).
struct ProviderMetadata: Encodable {
    let issuer: String
    let authorizationEndpoint: String
    let tokenEndpoint: String
    let revocationEndpoint: String
    let registrationEndpoint: String
    let responseTypes = ["code"]
    let grantTypes = ["authorization_code", "refresh_token"]
    let clientAuthentications = ["client_secret_basic", "client_secret_post", "none"]
    let challengeMethods = ["S256"]
    let scopes = Scope.known.map(\.name)
    let sendsIssuer = true

    init(baseURL: String) {
        issuer = baseURL
        authorizationEndpoint = baseURL + "/authorize"
        tokenEndpoint = baseURL + "/token"
        revocationEndpoint = baseURL + "/revoke"
        registrationEndpoint = baseURL + "/register"
    }

    private enum CodingKeys: String, CodingKey {
        case issuer
        case authorizationEndpoint = "authorization_endpoint"
        case tokenEndpoint = "token_endpoint"
        case revocationEndpoint = "revocation_endpoint"
        case registrationEndpoint = "registration_endpoint"
        case responseTypes = "response_types_supported"
        case grantTypes = "grant_types_supported"
        case clientAuthentications = "token_endpoint_auth_methods_supported"
        case challengeMethods = "code_challenge_methods_supported"
        case scopes = "scopes_supported"
        case sendsIssuer = "authorization_response_iss_parameter_supported"
    }
}
