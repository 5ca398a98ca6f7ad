import Broker
import Formats
import Foundation
import HTTPService
import HTTPTypes
import Hummingbird
import NIOCore
import Secrets
import Templates

/// The routes that browsers meet: the provider's redirect, our pages, and the frontend helper.
struct BrowserRoutes: Sendable {
    let broker: Broker
    let pages: Pages
    let limits: RateLimits

    var routes: [Route] {
        [
            callback("/oauth/callback"), callback("/oauth/callback/{name}"),
            callback("/oauth/callback/{name}/{handle}"),
            Route(
                template: "/oauth/success",
                handlers: [.get: { request, _ in pages.successPage(request) }, .post: delivery]),
            Route(
                template: "/oauth/popup",
                handlers: [.get: { request, _ in pages.popupPage(request) }, .post: bind]),
            Route(template: "/oauth/frontendOrigin", handlers: [.get: frontendOrigin]),
            Route(template: "/oauth/client/{document}", handlers: [.get: limits.callback.around(clientDocument)]),
            Route(
                template: "/connect.js",
                handlers: [.get: { _, _ in Self.script(Templates.connect, "text/javascript; charset=utf-8") }],
                cors: .anyOrigin),
            Route(
                template: "/connect.d.ts",
                handlers: [.get: { _, _ in Self.script(Templates.connectTypes, "text/plain; charset=utf-8") }],
                cors: .anyOrigin),
        ]
    }

    private func callback(_ template: String) -> Route {
        Route(
            template: template,
            handlers: [
                .get: limits.callback.around(forBrowsers(callbackByQuery), refusing: refusal),
                .head: Route.spendingNothing(),
                .post: limits.callback.around(forBrowsers(callbackByForm), refusing: refusal),
            ], ignoresSpareSlashes: true)
    }

    /// The same, but that a browser gets a page where the request is refused. What is fetched ahead nobody sees.
    private func forBrowsers(_ handler: @escaping Handler) -> Handler {
        { request, context in
            do {
                return try await handler(request, context)
            } catch let problem as Problem where !request.isPrefetch {
                throw refusal(problem, to: request, context: context)
            }
        }
    }

    /// Authorization servers fetch it, some of them for each flow, and may keep it for an hour.
    @Sendable private func clientDocument(_ request: Request, _ context: Context) async throws -> Response {
        let name = context.parameters["document"] ?? ""
        guard name.hasSuffix(".json"), let json = broker.clientMetadataDocument(String(name.dropLast(5))) else {
            throw Problem.notFound
        }
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "public, max-age=3600"],
            body: .init(byteBuffer: ByteBuffer(bytes: json)))
    }

    private static func script(_ text: String, _ type: String) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: type, .cacheControl: "public, max-age=300", .crossOriginResourcePolicy: "cross-origin",
            ],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    // MARK: callback

    @Sendable private func callbackByQuery(_ request: Request, _ context: Context) async throws -> Response {
        // A page fetched ahead may never be shown: the state must not be spent on it.
        if request.isPrefetch { throw Problem.lookAhead }
        let callback = callback((request.uri.query ?? "").utf8, of: request, context)
        return try await answer(to: callback, redirecting: .found, of: request, context: context)
    }

    /// OAuth 2.0 Form Post Response Mode. 303, so that the browser does not post again.
    @Sendable private func callbackByForm(_ request: Request, _ context: Context) async throws -> Response {
        let callback = callback(try await request.form(), of: request, context)
        if request.uri.query != Pages.again, request.isPostedByAnotherSite, let fields = callback.fields,
            await broker.needsCookie(callback)
        {
            return pages.againPage(fields, request)
        }
        return try await answer(to: callback, redirecting: .seeOther, of: request, context: context)
    }

    private func callback(_ query: some Sequence<UInt8>, of request: Request, _ context: Context) -> CallbackRequest {
        let cookies = BindingCookies(publicURL: broker.settings.publicURL)
        return CallbackRequest(
            query, at: RedirectPath(received: context.parameters), by: Requester(request, in: context)
        ) { flow in
            request.cookie(cookies.name(flow)).map { BindingCookie($0) }
        }
    }

    private func answer(
        to callback: CallbackRequest, redirecting redirect: HTTPResponse.Status, of request: Request, context: Context
    ) async throws -> Response {
        let cookies = BindingCookies(publicURL: broker.settings.publicURL)
        if await broker.putsOff(callback) {
            throw refusal(
                .unavailable("too many of its tenant's flows wait for their provider; nothing is spent"),
                to: request, context: context)
        }
        switch await broker.callback(callback, on: LoopTurn.current) {
        case .succeeded(let flow, let key):
            let page = flow.returnURL?.text ?? broker.settings.publicURL.text + "/oauth/success"
            let location = key.expose {
                "\(page)#credentialKey=\($0)&sourceType=\(flow.sourceType)&flow=\(flow.id)"
            }
            return ended(flow, by: Self.redirect(to: location, redirect), of: request, cookies)
        case .failed(let failure, let flow?):
            let error = failure.error
            // Of a flow that ended by this, the event has the reason, with this request's id.
            let problem = error.problem.because(failure.lost == nil ? nil : failure.reason)
            guard let returnURL = flow.returnURL else {
                let page = self.failure(error, of: flow, to: request, context: context)
                throw AnsweredProblem(problem, by: ended(flow, by: page, of: request, cookies))
            }
            let location = "\(returnURL.text)#error=\(Percent.encode(error.code))&flow=\(flow.id)"
            throw AnsweredProblem(
                problem, by: ended(flow, by: Self.redirect(to: location, redirect), of: request, cookies))
        case .failed(let failure, nil):
            throw AnsweredProblem(
                failure.error.problem.because(failure.reason),
                by: self.failure(failure.error, of: nil, to: request, context: context))
        }
    }

    private static func redirect(to location: String, _ status: HTTPResponse.Status) -> Response {
        Response(status: status, headers: [.location: location, .cacheControl: "no-store"])
    }

    /// Takes back the cookie of a flow that ended.
    private func ended(
        _ flow: Flow, by response: Response, of request: Request, _ cookies: BindingCookies
    ) -> Response {
        guard request.cookie(cookies.name(flow.id)) != nil else { return response }
        var response = response
        response.headers[.setCookie] = cookies.removal(flow.id)
        return response
    }

    private func failure(
        _ error: CallbackError, of flow: Flow?, to request: Request, context: Context
    ) -> Response {
        failure(
            Pages.Failure(
                status: error.problem.status, code: error.code, description: error.providerDescription,
                frontendOrigin: flow?.frontendOrigin.description ?? "", flow: flow?.id.description ?? "",
                requestID: context.requestID), error.problem, to: request)
    }

    /// Of a callback that was not looked at: its state is not spent.
    @Sendable private func refusal(_ problem: Problem, to request: Request, context: Context) -> any Error {
        let page = failure(
            Pages.Failure(status: problem.status, code: problem.code, requestID: context.requestID), problem,
            to: request)
        return AnsweredProblem(problem, by: page)
    }

    private func failure(_ failure: Pages.Failure, _ problem: Problem, to request: Request) -> Response {
        let accept = request.headers[.accept]
        if HeaderValue.mentions("json", accept), !HeaderValue.mentions("text/html", accept) {
            return problem.response(path: request.uri.path, requestID: failure.requestID)
        }
        var response = pages.failurePage(failure, request)
        response.headers.append(contentsOf: problem.headers)
        return response
    }

    // MARK: the browser that began the flow

    private struct Binding: Decodable {
        let flow: String
        let exchangeVerifier: SecretMember<Use.ExchangeVerifier>
        let frontendOrigin: String
    }

    /// Only our own pages ask for what follows; another site's page cannot send JSON here without a preflight, which
    /// is never granted, and what browsers say of the sender is checked besides.
    private func refuseOthersPages(_ request: Request) throws {
        let site = request.headers[.secFetchSite]
        let origin = request.headers[.origin]
        guard site == nil || site == "same-origin",
            origin == nil || origin == broker.settings.publicURL.origin.description
        else {
            throw Problem.invalidRequest("only the broker's own pages may call this")
        }
    }

    @Sendable private func bind(_ request: Request, _ context: Context) async throws -> Response {
        try refuseOthersPages(request)
        let body = try await request.json(Binding.self)
        guard let flow = FlowID(body.flow),
            let verifier = body.exchangeVerifier.secret.expose({ ExchangeVerifier(checking: $0) })
        else {
            throw Self.notThisFlow
        }
        let cookie: BindingCookie?
        do {
            cookie = try await broker.bindingCookie(for: flow, verifier: verifier, frontendOrigin: body.frontendOrigin)
        } catch {
            throw Problem.unavailable(error)
        }
        guard let cookie else { throw Self.notThisFlow }
        let cookies = BindingCookies(publicURL: broker.settings.publicURL)
        let value = cookies.setting(flow, to: cookie, seconds: broker.settings.stateLifetime)
        return Response(status: .noContent, headers: [.setCookie: value, .cacheControl: "no-store"])
    }

    private static let notThisFlow = Problem.invalidRequest(
        "no flow of this page waits under these values; start a new one")

    // MARK: the success page

    private struct Handover: Decodable { let credentialKey: SecretMember<Use.CredentialKey> }

    private struct DeliveryAnswer: Encodable { let taken: Bool }

    /// Tells the success page whether the app took the key that it holds. Spends nothing, and is no for every key that is
    /// not known: only who holds a key learns of it (Docs/Contract.md#pages-and-messages).
    @Sendable private func delivery(_ request: Request, _ context: Context) async throws -> Response {
        try refuseOthersPages(request)
        let key = try await request.json(Handover.self).credentialKey.secret
        do {
            return .json(DeliveryAnswer(taken: try await broker.isTaken(key)))
        } catch {
            throw Problem.unavailable(error)
        }
    }

    private struct OriginAnswer: Encodable { let frontendOrigin: String }

    /// Tells the success page where its message may go. Not a secret: it is where the flow began.
    @Sendable private func frontendOrigin(_ request: Request, _ context: Context) async throws -> Response {
        guard let flow = try request.query["flow"].flatMap({ FlowID($0) }) else { throw Problem.notFound }
        let origin: Origin?
        do {
            origin = try await broker.frontendOrigin(of: flow)
        } catch {
            throw Problem.unavailable(error)
        }
        guard let origin else { throw Problem.notFound }
        return .json(OriginAnswer(frontendOrigin: origin.description))
    }
}

extension Request {
    /// A page of another site sent its person here with a form. Whoever is no browser says nothing of itself.
    ///
    /// Browsers say where a request comes from (Fetch Metadata § 2.3), older ones and those on plain http only by the
    /// `Origin` that every POST has.
    fileprivate var isPostedByAnotherSite: Bool {
        guard HeaderValue.mentions("text/html", headers[.accept]) else { return false }
        return headers[.secFetchSite].map { $0 == "cross-site" } ?? (headers[.origin] != nil)
    }
}
