import HTTPTypes
import Hummingbird

extension SandboxProvider {
    func addAuthorization(to router: Router<BasicRequestContext>) {
        router.get("/authorize") { request, _ in await self.authorize(request) }
        router.get("/coop/authorize") { request, _ in await self.authorize(request) }
        router.get("/teams/:team/authorize") { request, _ in await self.authorize(request) }
        router.post("/login") { request, _ in await self.login(request) }
        router.post("/logout") { request, _ in await self.logout(request) }
        router.post("/consent") { request, _ in await self.consent(request) }
    }

    /// Shows the page that the request needs next, or ends it at once where it is scripted or wrong.
    private func authorize(_ request: Request) async -> Response {
        let asked: AuthorizationRequest
        do {
            asked = try AuthorizationRequest(
                path: request.uri.path, query: request.queryFields, clients: await clients)
        } catch {
            return refuse(error)
        }
        if let script = asked.script {
            return await decide(asked, script.decision, as: script.account, behaviours: asked.behaviours)
        }
        let session = await sessions.session(request.cookies[Sessions.cookieName]?.value)
        var headers: HTTPFields = [.setCookie: session.cookie]
        if asked.behaviours.contains(.coop) { headers[.crossOriginOpenerPolicy] = "same-origin" }
        if let account = session.account {
            let page = ConsentPage(request: asked, account: account, formToken: session.formToken)
            return .page(page.html, policy: .consentPage, headers: headers)
        }
        let page = LoginPage(request: asked, formToken: session.formToken)
        return .page(page.html, policy: .providerPage, headers: headers)
    }

    private func login(_ request: Request) async -> Response {
        guard let form = await request.formFields() else { return forgedForm() }
        // Another window of this browser signed in since the form was shown: this one goes on as that account.
        // A forged form does no more than show a page here.
        if let session = await sessions.known(request.cookies[Sessions.cookieName]?.value),
            session.account != nil, form["form_token"] != session.formToken,
            let asked = try? await carriedRequest(form)
        {
            return .redirect(baseURL + asked.path + "?" + asked.query.encoded, status: .seeOther)
        }
        return await changeAccount(request, form, to: form["account"].flatMap(Account.init(rawValue:)))
    }

    private func logout(_ request: Request) async -> Response {
        guard let form = await request.formFields() else { return forgedForm() }
        return await changeAccount(request, form, to: nil)
    }

    /// Signs in or out and goes on with the authorization request that the form carries.
    private func changeAccount(_ request: Request, _ form: FormFields, to account: Account?) async -> Response {
        guard let session = await session(of: form, from: request) else { return forgedForm() }
        let asked: AuthorizationRequest
        do {
            asked = try await carriedRequest(form)
        } catch {
            return refuse(error)
        }
        let next = await sessions.replace(session, account: account)
        let location = baseURL + asked.path + "?" + asked.query.encoded
        return .redirect(location, status: .seeOther, headers: [.setCookie: next.cookie])
    }

    private func consent(_ request: Request) async -> Response {
        guard let form = await request.formFields(), let session = await session(of: form, from: request),
            let account = session.account
        else { return forgedForm() }
        let asked: AuthorizationRequest
        do {
            asked = try await carriedRequest(form)
        } catch {
            return refuse(error)
        }
        // What the switches say replaces what the query preselected.
        let chosen = Set(form.all("behaviour").compactMap(Behaviour.init(rawValue:)))
        let decision = form["decision"].flatMap(AuthorizationRequest.Script.Decision.init(rawValue:)) ?? .deny
        return await decide(asked, decision, as: account, behaviours: chosen)
    }

    /// Sends the visitor back to the client with a code or an error.
    private func decide(
        _ asked: AuthorizationRequest, _ decision: AuthorizationRequest.Script.Decision, as account: Account,
        behaviours: Set<Behaviour>
    ) async -> Response {
        let answer = AuthorizationResponse(
            redirectURI: asked.redirectURI, state: asked.state, issuer: baseURL, behaviours: behaviours)
        let location: String
        if behaviours.contains(.hostileError) {
            location = answer.location(OAuthError(.serverError, AuthorizationResponse.hostileDescription))
        } else if decision == .deny || behaviours.contains(.deny) {
            location = answer.location(OAuthError(.accessDenied, "\(account.name) said no"))
        } else {
            let grant = Grant(request: asked, account: account, behaviours: behaviours)
            location = answer.location(code: await grants.issueCode(for: grant))
        }
        // A redirect with this header cuts the opener as well as a page does.
        let headers: HTTPFields = behaviours.contains(.coop) ? [.crossOriginOpenerPolicy: "same-origin"] : [:]
        return .redirect(location, status: .found, headers: headers)
    }

    /// The session, where the form was made for this browser.
    private func session(of form: FormFields, from request: Request) async -> Sessions.Session? {
        await sessions.session(request.cookies[Sessions.cookieName]?.value, formToken: form["form_token"])
    }

    private func carriedRequest(_ form: FormFields) async throws(AuthorizationRefusal) -> AuthorizationRequest {
        let path = form["path"] ?? ""
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        // One of this router's three: a form is no way to make the provider redirect elsewhere.
        guard
            path == "/authorize" || path == "/coop/authorize"
                || (parts.count == 4 && path.hasPrefix("/teams/") && path.hasSuffix("/authorize"))
        else { throw .page("The form has lost the address it belongs to. Please start again.") }
        return try AuthorizationRequest(
            path: path, query: FormFields(decoding: form["query"] ?? ""), clients: await clients)
    }

    private func refuse(_ refusal: AuthorizationRefusal) -> Response {
        switch refusal {
        case .page(let reason):
            let page = TroublePage(title: "This request cannot go on", reason: reason)
            return .page(page.html, status: .badRequest, policy: .providerPage)
        case .redirect(let error, let redirectURI, let state):
            let answer = AuthorizationResponse(redirectURI: redirectURI, state: state, issuer: baseURL)
            return .redirect(answer.location(error), status: .found)
        }
    }

    private func forgedForm() -> Response {
        let page = TroublePage(
            title: "This form is not for this browser",
            reason: "It may be too old, or from another page. Close this window and start again from the application.")
        return .page(page.html, status: .forbidden, policy: .providerPage)
    }
}
