import Formats
import Foundation
package import HTTPTypes
package import Hummingbird
package import Logging
import NIOCore

/// An error of the API (RFC 9457 § 3): a stable code to act on, and a sentence that says what to do next.
///
/// `detail` never holds a token, secret, code, state, verifier or key.
///
/// Not Hummingbird's `HTTPError`, whose body has a message alone.
package struct Problem: Error {
    /// The answer's status, which the body repeats.
    package var status: HTTPResponse.Status
    /// The word that programs act on, of those in Docs/API.md; never changed once it is there.
    package let code: String
    /// One sentence for the caller's developer: lower case, without a full stop.
    package var detail: String
    /// Sent besides those that every problem has.
    package var headers: HTTPFields
    /// The redirect address to register for a client that is not there yet.
    package var redirectURI: String?
    /// Set for `insufficient_scope` alone.
    package var missing: MissingScope?
    /// The operation that has to end first; set for `operation_in_progress` alone.
    package var operation: String?
    /// The reason for operators, in the log alone; `nil`: nothing is logged. Holds no secret; what others wrote in it
    /// is quoted, escaped and cut.
    package var reason: String?
    /// The tenant whose caller asked; for the log.
    package var tenant: String?
    /// The source type that was asked for, if the catalog's form allows its name; for the log.
    package var sourceType: String?

    /// The scope that a token lacks, for programs that ask for another token with it.
    package struct MissingScope: Sendable {
        let required: String
        let granted: [String]

        /// - Parameters:
        ///   - required: the scope to ask for.
        ///   - granted: the scopes that the token has.
        package init(required: String, granted: [String]) {
            self.required = required
            self.granted = granted
        }
    }

    /// Without a `reason` nothing is logged.
    package init(
        status: HTTPResponse.Status, code: String, detail: String, headers: HTTPFields = [:],
        redirectURI: String? = nil, missing: MissingScope? = nil, reason: String? = nil
    ) {
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers
        self.redirectURI = redirectURI
        self.missing = missing
        self.reason = reason
    }

    /// No route has the path.
    package static let notFound = Problem(
        status: .notFound, code: "not_found", detail: "nothing is at this address; see the API's documentation")
    /// Ends the connection, since the rest of the body is not read.
    package static func bodyTooLarge(most: Int) -> Problem {
        let bound = most % 1024 == 0 ? "\(most / 1024) KiB" : "\(most) bytes"
        return Problem(
            status: .contentTooLarge, code: "body_too_large", detail: "send a body of at most \(bound)",
            headers: [.connection: "close"])
    }
    /// Ends the connection: what follows a body that is not one cannot be told from it.
    package static let bodyBroken = Problem(
        status: .badRequest, code: "invalid_request",
        detail: "the body did not arrive whole, or its chunks are malformed (RFC 9112 § 7.1)",
        headers: [.connection: "close"])
    /// A fault of ours. Its reason is for the log alone.
    package static let internalError = Problem(
        status: .internalServerError, code: "internal_error",
        detail: "the service failed; the operator finds the reason in the log under this requestId")

    /// The answer to what a browser fetches ahead (`isPrefetch`).
    package static let lookAhead = Problem(
        status: .serviceUnavailable, code: "unavailable",
        detail: "this came as a prefetch or as a part of a page, on which nothing is spent; open the address itself",
        headers: [.retryAfter: "5"])

    /// - Parameter detail: says what to send instead; holds nothing of the request that could be a secret.
    package static func invalidRequest(_ detail: String) -> Problem {
        Problem(status: .badRequest, code: "invalid_request", detail: detail)
    }

    static func methodNotAllowed(_ allowed: [HTTPRequest.Method]) -> Problem {
        let list = allowed.map(\.rawValue).joined(separator: ", ")
        return Problem(
            status: .methodNotAllowed, code: "method_not_allowed", detail: "use \(list)", headers: [.allow: list])
    }

    static func unsupportedMediaType(_ wanted: String) -> Problem {
        Problem(
            status: .unsupportedMediaType, code: "unsupported_media_type", detail: "send the body as \(wanted)")
    }

    /// An error as its answer. An unforeseen one is named by its type alone: its text may hold a caller's values.
    init(_ error: any Error) {
        if let problem = error as? Problem {
            self = problem
        } else {
            self = .internalError
            reason = "an unexpected error (\(type(of: error)))"
        }
    }

    /// One line with what the answer does not tell, if there is more to know.
    ///
    /// - Parameter route: the template, never what a caller sent.
    package func log(to logger: Logger, requestID: String, route: String?) {
        guard let reason else { return }
        let level: Logger.Level =
            switch status.code {
            case ..<500: .info
            // A provider's trouble is not the broker's.
            default: code.hasPrefix("provider_") ? .warning : .error
            }
        guard logger.logLevel <= level else { return }
        var metadata: Logger.Metadata = [
            "request_id": .string(requestID), "code": .string(code), "reason": .string(reason),
        ]
        if let route { metadata["route"] = .string(route) }
        if let tenant { metadata["tenant"] = .string(tenant) }
        if let sourceType { metadata["source_type"] = .string(sourceType) }
        logger.log(level: level, "request failed", metadata: metadata)
    }

    /// The answer, as `application/problem+json` (RFC 9457 § 3).
    ///
    /// - Parameter path: the request's, without its query, which may hold secrets.
    package func response(path: String, requestID: String) -> Response {
        Response(
            status: status, headers: fields,
            body: ResponseBody(byteBuffer: content(path: path, requestID: requestID)))
    }

    var fields: HTTPFields {
        var fields = headers
        fields[.contentType] = "application/problem+json"
        fields[.cacheControl] = "no-store"
        return fields
    }

    func content(path: String, requestID: String) -> ByteBuffer {
        struct Body: Encodable {
            let type: String
            let title: String
            let status: Int
            let detail: String
            let instance: String
            let code: String
            let requestId: String
            let redirectUri: String?
            let error: String?
            let required: String?
            let granted: [String]?
            let operation: String?
        }
        // `about:blank` (RFC 9457 § 4.2.1): the title is the status's own; `code` is what programs act on.
        let body = Body(
            type: "about:blank", title: status.reasonPhrase, status: status.code, detail: detail,
            instance: path, code: code, requestId: requestID, redirectUri: redirectURI,
            error: missing == nil ? nil : code, required: missing?.required, granted: missing?.granted,
            operation: operation)
        return ByteBuffer(json: body)
    }
}

extension ByteBuffer {
    /// A value of ours as JSON.
    fileprivate init(json value: some Encodable) {
        // Only numbers that JSON lacks (NaN) and our own mistakes fail here.
        self.init(bytes: (try? JSONValue(encoding: value).encoded()) ?? Array("{}".utf8))
    }
}

extension ResponseBody {
    /// A value of ours as JSON.
    package static func json(_ value: some Encodable) -> ResponseBody {
        ResponseBody(byteBuffer: ByteBuffer(json: value))
    }
}
