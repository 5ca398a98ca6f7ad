import HTTPTypes
import Hummingbird

extension SandboxProvider {
    func addTokens(to router: Router<BasicRequestContext>) {
        for prefix in ["", "/teams/:team"] {
            router.post("\(prefix)/token") { request, _ in try await self.token(request) }
            router.post("\(prefix)/revoke") { request, _ in try await self.revoke(request) }
        }
    }

    private func token(_ request: Request) async throws -> Response {
        do {
            let (client, form) = try await tokenRequest(request)
            switch form["grant_type"] {
            case "authorization_code": return try await exchange(form, of: client)
            case "refresh_token": return try await refresh(form, of: client)
            default: throw OAuthError(.unsupportedGrantType, "grant_type is authorization_code or refresh_token")
            }
        } catch let error as OAuthError {
            return try error.response()
        }
    }

    private func exchange(_ form: FormFields, of client: Client) async throws -> Response {
        guard let code = form["code"] else { throw OAuthError(.invalidRequest, "code is missing") }
        let tokens = try await grants.exchange(
            code, clientID: client.id, redirectURI: form["redirect_uri"], codeVerifier: form["code_verifier"])
        try await delay(tokens.grant.behaviours)
        return try TokenFailure.response(tokens.grant.behaviours) ?? TokenAnswer(tokens).response()
    }

    private func refresh(_ form: FormFields, of client: Client) async throws -> Response {
        guard let token = form["refresh_token"] else {
            throw OAuthError(.invalidRequest, "refresh_token is missing")
        }
        let tokens = try await grants.refresh(token, clientID: client.id)
        try await delay(tokens.grant.behaviours)
        return try TokenAnswer(tokens).response()
    }

    private func revoke(_ request: Request) async throws -> Response {
        do {
            let (client, form) = try await tokenRequest(request)
            guard let token = form["token"] else { throw OAuthError(.invalidRequest, "token is missing") }
            try await grants.revoke(token, clientID: client.id)
            return Response(status: .ok, headers: [.cacheControl: "no-store"])
        } catch let error as OAuthError {
            return try error.response()
        }
    }

    private func tokenRequest(_ request: Request) async throws(OAuthError) -> (Client, FormFields) {
        let clients = await clients
        guard let form = await request.formFields() else {
            throw OAuthError(.invalidRequest, "the body must be application/x-www-form-urlencoded")
        }
        if let repeated = form.repeated { throw OAuthError(.invalidRequest, "\(repeated) is there twice") }
        return (try ClientAuthentication(clients: clients).client(request.headers, form), form)
    }

    private func delay(_ behaviours: Set<Behaviour>) async throws {
        if behaviours.contains(.verySlow) {
            try await Task.sleep(for: delays.verySlow)
        } else if behaviours.contains(.slow) {
            try await Task.sleep(for: delays.slow)
        }
    }
}
