import Broker
import Formats
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import OTLPTracing
import Secrets
import ServiceContextModule
import Tracing

/// Around every request: its id and span, the headers that every answer has, CORS, errors as problems, one log line.
struct Frame: HTTPResponder {
    let routes: RouteTable
    let frontends: Frontends
    let proxies: TrustedProxies
    let figures: Figures
    let tracer: OTLPTracer?
    let logger: Logger
    /// Of what is at no address of ours.
    private let elsewhere = RouteMeter("none")

    init(
        routes: RouteTable, frontends: Frontends, proxies: TrustedProxies, figures: Figures, tracer: OTLPTracer?,
        logger: Logger
    ) {
        self.routes = routes
        self.frontends = frontends
        self.proxies = proxies
        self.figures = figures
        self.tracer = tracer
        self.logger = logger
    }

    func respond(to request: Request, context: Context) async throws -> Response {
        let request = request.inASCII
        var context = context
        context.requestID = Self.requestID(request)
        context.proxies = proxies
        let found = routes.find(request.uri.path)
        let outside = TraceContext(of: request.headers)
        guard let tracer else { return await respond(to: request, context, found, outside) }
        let span = tracer.span(request.method, found?.0.template, context.requestID, parent: outside)
        let response = await ServiceContext.withValue(span.active) {
            await respond(to: request, context, found, span.context.trace)
        }
        span.end(response.status.code)
        return response
    }

    private func respond(
        to request: Request, _ context: Context, _ found: (Route, PathNames)?, _ trace: TraceContext?
    ) async -> Response {
        let began = ContinuousClock.now
        let path = request.uri.path
        var response: Response
        do {
            try await request.checkBody()
            guard let (route, tenant) = found else { throw Problem.notFound }
            response = try await answer(route, tenant, request, context)
        } catch let problem as Problem {
            response = problem.response(path: path, requestID: context.requestID)
        } catch {
            // The type alone: an error's text may hold what it was about.
            logger.error(
                "request failed",
                metadata: ["request_id": "\(context.requestID)", "error": "\(type(of: error))"])
            response = Problem.internalError.response(path: path, requestID: context.requestID)
        }
        if request.method == .head { response = response.createHeadResponse() }
        addHeaders(&response, request, context, found)
        let duration = ContinuousClock.now - began
        (found?.0.meter ?? elsewhere).count(request.method, response.status.code, duration, in: figures.registry)
        log(request, context, found?.0, trace, response, duration)
        return response
    }

    /// The answer to what no route sees, since HTTP itself forbids it. Told and counted as any other.
    func refuse(_ fault: RequestFault, path: String) -> Refusal {
        var problem = Problem.invalidRequest(fault.detail)
        if fault == .headTooLarge { problem.status = .requestHeaderFieldsTooLarge }
        let requestID = Base64URL.encode(Random.bytes(12))
        let path = String(
            decoding: path.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }, as: UTF8.self)
        let content = problem.content(path: path, requestID: requestID)
        var fields = problem.fields
        fields[.requestID] = requestID
        fields[.xContentTypeOptions] = "nosniff"
        fields[.referrerPolicy] = "no-referrer"
        fields[.connection] = "close"
        fields[.contentLength] = String(content.readableBytes)
        elsewhere.count(.unknown, problem.status.code, .zero, in: figures.registry)
        if logger.logLevel <= .info {
            logger.info(
                "request",
                metadata: [
                    "request_id": .string(requestID), "method": "other", "route": "none",
                    "status": .stringConvertible(problem.status.code), "detail": .string(fault.detail),
                    "duration_us": .stringConvertible(0),
                ])
        }
        return Refusal(
            status: HTTPResponseStatus(statusCode: problem.status.code),
            headers: HTTPHeaders(fields.map { ($0.name.rawName, $0.value) }), body: content)
    }

    private func answer(
        _ route: Route, _ tenant: PathNames, _ request: Request, _ context: Context
    ) async throws -> Response {
        if let handler = route.handlers[request.method] { return try await handler(request, context, tenant) }
        if request.method == .head, let get = route.handlers[.get] { return try await get(request, context, tenant) }
        if request.method == .options {
            let allowed = route.allowed.map(\.rawValue).joined(separator: ", ")
            return Response(status: .noContent, headers: [.allow: allowed])
        }
        throw Problem.methodNotAllowed(route.allowed)
    }

    /// The caller's id if it is sane: up to 64 of letters, digits, `.`, `_`, `-`.
    private static func requestID(_ request: Request) -> String {
        if let given = request.headers[.requestID], (1...64).contains(given.utf8.count),
            given.utf8.allSatisfy({
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                    || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F
            })
        {
            return given
        }
        return Base64URL.encode(Random.bytes(12))
    }

    private func addHeaders(
        _ response: inout Response, _ request: Request, _ context: Context, _ found: (Route, PathNames)?
    ) {
        response.headers[.requestID] = context.requestID
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.referrerPolicy] = "no-referrer"
        guard let (route, path) = found else { return }
        if route.isPublic { response.headers[.accessControlAllowOrigin] = "*" }
        guard route.isShared else { return }
        response.headers[.vary] = "Origin"
        // A tenant's pages are those of its own list, where it has one.
        guard let origin = request.headers[.origin].flatMap({ Origin($0) }), frontends[name: path.name].allows(origin)
        else { return }
        response.headers[.accessControlAllowOrigin] = origin.description
        if request.method == .options {
            response.headers[.accessControlAllowMethods] = "GET, POST"
            response.headers[.accessControlAllowHeaders] = "Authorization, Content-Type"
            response.headers[.accessControlMaxAge] = "600"
        } else {
            response.headers[.accessControlExposeHeaders] = "X-Request-Id, Retry-After, RateLimit, RateLimit-Policy"
        }
    }

    /// The route's template, never the query: it may hold a code, a state or a key.
    private func log(
        _ request: Request, _ context: Context, _ route: Route?, _ trace: TraceContext?, _ response: Response,
        _ duration: Duration
    ) {
        guard logger.logLevel <= .info else { return }
        let microseconds = duration / .microseconds(1)
        var metadata: Logger.Metadata = [
            "request_id": .string(context.requestID),
            "method": .string(RouteMeter.known(request.method).name),
            "route": .string(route?.template ?? "none"),
            "status": .stringConvertible(response.status.code),
            "duration_us": .stringConvertible(Int(microseconds)),
        ]
        if let trace { metadata["trace_id"] = .string(trace.traceID) }
        logger.info("request", metadata: metadata)
    }
}
