/// A person's consent, with the behaviours chosen for it.
struct Grant: Sendable {
    let clientID: String
    let redirectURI: String
    let codeChallenge: String?
    /// The resource that it was asked for; `nil`: none was named.
    let resource: String?
    let account: Account
    let scopes: [String]
    let behaviours: Set<Behaviour>

    init(request: AuthorizationRequest, account: Account, behaviours: Set<Behaviour>) {
        clientID = request.client.id
        redirectURI = request.redirectURI
        codeChallenge = request.codeChallenge
        resource = request.resource
        self.account = account
        scopes = behaviours.contains(.reducedScope) ? Array(request.scopes.prefix(1)) : request.scopes
        self.behaviours = behaviours
    }
}

/// Fresh tokens of a grant.
struct IssuedTokens: Sendable {
    let accessToken: String
    /// `nil` where the provider keeps it back, or where the old one stays good.
    let refreshToken: String?
    let grant: Grant
}
