/// A sound authorization request: known client, registered redirect address, state, and S256 if PKCE is used.
///
/// `init` is the only way to one. It is made anew from the same query for each page of the conversation, so no
/// page trusts what an earlier one decided.
struct AuthorizationRequest: Sendable {
    let client: SandboxProvider.Client
    let redirectURI: String
    let state: String
    let scopes: [String]
    let codeChallenge: String?
    /// The resource that the tokens are to be good for (RFC 8707 § 2.1); `nil`: any.
    let resource: String?
    let behaviours: Set<Behaviour>
    let script: Script?
    /// The path that it came to, such as `/coop/authorize`; the pages' forms lead back to it.
    let path: String
    let query: FormFields

    /// A decision that the query brings (`sandbox_auto`), so that no page is shown.
    struct Script: Sendable {
        enum Decision: String { case allow, deny }
        let decision: Decision
        let account: Account
    }

    init(path: String, query: FormFields, clients: [String: SandboxProvider.Client]) throws(AuthorizationRefusal) {
        let (client, redirectURI) = try Self.recipient(query, clients: clients)
        let state = query["state"]
        func refuse(_ code: OAuthError.Code, _ description: String) -> AuthorizationRefusal {
            .redirect(OAuthError(code, description), redirectURI: redirectURI, state: state)
        }

        // RFC 6749 § 3.1: request parameters must not be included more than once.
        if let repeated = query.repeated { throw refuse(.invalidRequest, "\(repeated) is there twice") }
        guard query["response_type"] == "code" else {
            throw refuse(.unsupportedResponseType, "response_type must be code")
        }
        guard let state else { throw refuse(.invalidRequest, "state is missing") }
        guard let scopes = query["scope"].map(Scope.parse) ?? ["profile"] else {
            throw refuse(.invalidScope, "scope is no list of scopes")
        }
        do {
            codeChallenge = try Self.codeChallenge(query, of: client)
        } catch {
            throw refuse(error.code, error.description)
        }

        self.client = client
        self.redirectURI = redirectURI
        self.state = state
        self.scopes = scopes
        resource = query["resource"]
        self.path = path
        self.query = query
        behaviours = try Self.behaviours(query, path: path)
        script = try Self.script(query)
    }

    /// RFC 6749 § 4.1.2.1: with either of these wrong, the visitor must not be redirected.
    private static func recipient(
        _ query: FormFields, clients: [String: SandboxProvider.Client]
    ) throws(AuthorizationRefusal) -> (SandboxProvider.Client, String) {
        let ids = query.all("client_id")
        guard let id = ids.first, ids.count == 1, let client = clients[id] else {
            throw .page("No application with this client_id is registered here.")
        }
        let addresses = query.all("redirect_uri")
        guard let address = addresses.first, addresses.count == 1, client.redirectURIs.contains(address) else {
            throw .page("This redirect_uri is not one of those that \(client.name) has registered.")
        }
        return (client, address)
    }

    private static func codeChallenge(
        _ query: FormFields, of client: SandboxProvider.Client
    ) throws(OAuthError) -> String? {
        guard let challenge = query["code_challenge"] else {
            guard query["code_challenge_method"] == nil else {
                throw OAuthError(.invalidRequest, "code_challenge is missing")
            }
            guard client.secret != nil else { throw OAuthError(.invalidRequest, "a public client must use PKCE") }
            return nil
        }
        // RFC 7636 § 4.3 takes an absent method for `plain`, which nobody should use.
        guard query["code_challenge_method"] == "S256" else {
            throw OAuthError(.invalidRequest, "code_challenge_method must be S256")
        }
        guard challenge.utf8.count == 43 else {
            throw OAuthError(.invalidRequest, "code_challenge is no S256 challenge")
        }
        return challenge
    }

    private static func behaviours(_ query: FormFields, path: String) throws(AuthorizationRefusal) -> Set<Behaviour> {
        do {
            let listed = try Set<Behaviour>(listed: query["sandbox_behaviour"] ?? "")
            return path.hasPrefix("/coop/") ? listed.union([.coop]) : listed
        } catch {
            throw .page(
                "sandbox_behaviour names “\(error.name)”, which is no behaviour. The start page lists them all.")
        }
    }

    private static func script(_ query: FormFields) throws(AuthorizationRefusal) -> Script? {
        guard let auto = query["sandbox_auto"] else { return nil }
        guard let decision = Script.Decision(rawValue: auto) else { throw .page("sandbox_auto is allow or deny.") }
        guard let account = Account(rawValue: query["sandbox_account"] ?? Account.ada.rawValue) else {
            throw .page("sandbox_account names nobody who has an account here.")
        }
        return Script(decision: decision, account: account)
    }
}

/// The reason why an authorization request goes no further, and who is told.
enum AuthorizationRefusal: Error, Equatable {
    /// The visitor alone: the client is unknown, or its address cannot be trusted.
    case page(String)
    /// The client, by a redirect (RFC 6749 § 4.1.2.1).
    case redirect(OAuthError, redirectURI: String, state: String?)
}
