import Broker
import Formats
import Foundation
import HTTPService
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Secrets
import Templates

/// The routes that browsers meet: the provider's redirect, our pages, and the frontend helper.
struct BrowserRoutes: Sendable {
    let broker: Broker
    let pages: Pages
    let limits: RateLimits
    let logger: Logger

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
                .get: limits.callback.around(callbackByQuery, refusing: refusal), .head: spendNothing,
                .post: limits.callback.around(callbackByForm, refusing: refusal),
            ], ignoresTrailingSlash: true)
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
        return await callback(
            request.uri.query ?? "", at: context.parameters, redirect: .found, of: request, context: context)
    }

    /// OAuth 2.0 Form Post Response Mode. 303, so that the browser does not post again.
    @Sendable private func callbackByForm(_ request: Request, _ context: Context) async throws -> Response {
        await callback(
            try await request.form(), at: context.parameters, redirect: .seeOther, of: request, context: context)
    }

    @Sendable private func spendNothing(_ request: Request, _ context: Context) async throws -> Response {
        Response(status: .ok, headers: [.cacheControl: "no-store"])
    }

    private func callback(
        _ query: String, at path: PathParameters, redirect: HTTPResponse.Status, of request: Request, context: Context
    ) async -> Response {
        let cookies = BindingCookies(publicURL: broker.settings.publicURL)
        let callback = CallbackRequest(
            query, at: RedirectPath(received: path), by: Requester(request, in: context)
        ) { flow in
            request.cookie(cookies.name(flow)).map { BindingCookie($0) }
        }
        if await broker.putsOff(callback) {
            let problem = Problem.unavailable(
                "too many of its tenant's flows wait for their provider; nothing is spent")
            log(problem, context)
            return refusal(problem, to: request, context: context)
        }
        let result = await broker.callback(callback)
        var response: Response
        let flow: Flow?
        switch result {
        case .succeeded(let ended, let key):
            flow = ended
            let page = ended.returnURL?.text ?? broker.settings.publicURL.text + "/oauth/success"
            let location = key.expose {
                "\(page)#credentialKey=\($0)&sourceType=\(ended.sourceType)&flow=\(ended.id)"
            }
            response = Response(status: redirect, headers: [.location: location, .cacheControl: "no-store"])
        case .failed(let failure, let ended):
            let error = failure.error
            flow = ended
            // Of a flow that ended by this, the event has the reason, with this request's id.
            if ended == nil || failure.lost != nil {
                log(error.problem.because(failure.reason), context)
            }
            if let ended, let returnURL = ended.returnURL {
                let location = "\(returnURL.text)#error=\(Percent.encode(error.code))&flow=\(ended.id)"
                response = Response(status: redirect, headers: [.location: location, .cacheControl: "no-store"])
            } else {
                response = self.failure(error, of: ended, to: request, context: context)
            }
        }
        if let flow, request.cookie(cookies.name(flow.id)) != nil {
            response.headers[.setCookie] = cookies.removal(flow.id)
        }
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

    private func log(_ problem: Problem, _ context: Context) {
        problem.log(to: logger, requestID: context.requestID, route: "/oauth/callback")
    }

    /// Of a callback that was not looked at: its state is not spent.
    @Sendable private func refusal(_ problem: Problem, to request: Request, context: Context) -> Response {
        failure(
            Pages.Failure(status: problem.status, code: problem.code, requestID: context.requestID), problem,
            to: request)
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
        let exchangeVerifier: String
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
        guard let flow = FlowID(body.flow), let verifier = ExchangeVerifier(checking: body.exchangeVerifier) else {
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

    private struct Handover: Decodable { let credentialKey: String }

    private struct DeliveryAnswer: Encodable { let taken: Bool }

    /// Tells the success page whether the app took the key that it holds. Spends nothing, and is no for every key that is
    /// not known: only who holds a key learns of it (Docs/Contract.md#pages-and-messages).
    @Sendable private func delivery(_ request: Request, _ context: Context) async throws -> Response {
        try refuseOthersPages(request)
        let key = CredentialKey(try await request.json(Handover.self).credentialKey)
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
