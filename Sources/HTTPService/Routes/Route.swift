package import HTTPTypes
package import Hummingbird

/// Answers one method at one address.
package typealias Handler = @Sendable (Request, Context) async throws -> Response

/// One address: what answers each method, and what it is called in logs, metrics and spans.
package final class Route: Sendable {
    /// The path with names for its variable parts, such as `/v1/tenants/{tenant}/assets:authorize`. Never what a caller
    /// sent.
    package let template: String
    /// The pages of other origins that may call it.
    let cors: CORSPolicy
    /// A slash at the end, or two in place of one, mean the same address: some providers add one to the address that
    /// was registered, and some configurations have one too many.
    let ignoresSpareSlashes: Bool
    /// The most bytes of a request's body. Beyond `Request.largestBody` its handler reads the body piece by piece, and
    /// the request has more time the longer it is (`ListenerBounds.bodyPace`).
    let largestBody: Int
    /// The methods it takes, HEAD and OPTIONS among them, in the order of the alphabet.
    let methods: [HTTPRequest.Method]
    let metrics: RouteMetrics
    /// Few: looked through faster than hashed.
    private let handlers: [(method: HTTPRequest.Method, handler: Handler)]

    /// - Parameters:
    ///   - template: see `template`; `RouteTable` says what variable parts it may have.
    ///   - handlers: GET's answers HEAD too, unless HEAD has its own. OPTIONS is answered without one.
    package init(
        template: String, handlers: [HTTPRequest.Method: Handler], cors: CORSPolicy = .sameOrigin,
        ignoresSpareSlashes: Bool = false, largestBody: Int? = nil
    ) {
        self.template = template
        self.cors = cors
        self.ignoresSpareSlashes = ignoresSpareSlashes
        self.largestBody = largestBody ?? Request.largestBody
        self.handlers = handlers.map { ($0.key, $0.value) }
        var methods = Set(handlers.keys)
        if methods.contains(.get) { methods.insert(.head) }
        methods.insert(.options)
        self.methods = methods.sorted { $0.rawValue < $1.rawValue }
        metrics = RouteMetrics(template)
    }

    /// The handler of a method; GET's answers HEAD too where there is no other.
    func handler(for method: HTTPRequest.Method) -> Handler? {
        if let found = handlers.first(where: { $0.method == method }) { return found.handler }
        return method == .head ? handlers.first { $0.method == .get }?.handler : nil
    }
}

extension Route {
    /// The handler of HEAD where GET would spend something: nothing happens.
    ///
    /// - Parameter type: the media type that GET answers with; `nil` where that depends.
    package static func spendingNothing(answering type: String? = nil) -> Handler {
        { _, _ in
            var headers: HTTPFields = [.cacheControl: "no-store"]
            headers[.contentType] = type
            return Response(status: .ok, headers: headers)
        }
    }
}
