import Formats
package import HTTPTypes
import Hummingbird

/// The pages of other origins that may call a route.
package enum CORSPolicy: Sendable {
    /// None.
    case sameOrigin
    /// Those that the service's configuration names.
    case configuredOrigins
    /// All: what the route answers is public.
    case anyOrigin
}

/// The headers that let pages of other origins read an answer (Fetch § 3.3).
///
/// Not Hummingbird's `CORSMiddleware`: its list of origins is the same for every request, where each tenant may have its
/// own, and it takes a preflight at any address for granted, where ours say which methods they have.
package struct CORS: Sendable {
    private let methods: String
    private let requestHeaders: String
    private let exposedHeaders: String
    private let allows: @Sendable (_ origin: String, _ parameters: PathParameters) -> Bool

    /// - Parameters:
    ///   - methods: those that pages may use.
    ///   - sending: headers that pages may send besides the usual ones.
    ///   - exposing: headers of answers that pages may read besides those that all answers may have.
    ///   - allows: tells whether pages of an origin may call what is at a path with these parameters.
    package init(
        methods: [HTTPRequest.Method] = [.get, .post], sending: [HTTPField.Name] = [], exposing: [HTTPField.Name] = [],
        allowing allows: @escaping @Sendable (_ origin: String, _ parameters: PathParameters) -> Bool
    ) {
        self.methods = methods.map(\.rawValue).joined(separator: ", ")
        requestHeaders = (["Authorization", "Content-Type"] + sending.map(\.rawName)).joined(separator: ", ")
        exposedHeaders =
            (["X-Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy"] + exposing.map(\.rawName))
            .joined(separator: ", ")
        self.allows = allows
    }

    /// No page of another origin may call anything.
    package static let none = CORS { _, _ in false }

    func addHeaders(
        to response: inout Response, of request: Request, _ parameters: PathParameters, by policy: CORSPolicy
    ) {
        switch policy {
        case .sameOrigin: break
        case .anyOrigin: response.headers[.accessControlAllowOrigin] = "*"
        case .configuredOrigins:
            response.headers[.vary] = "Origin"
            guard let origin = request.headers[.origin], allows(origin, parameters) else { return }
            response.headers[.accessControlAllowOrigin] = origin
            if request.method == .options {
                response.headers[.accessControlAllowMethods] = methods
                response.headers[.accessControlAllowHeaders] = requestHeaders
                response.headers[.accessControlMaxAge] = "600"
            } else {
                response.headers[.accessControlExposeHeaders] = exposedHeaders
            }
        }
    }
}
