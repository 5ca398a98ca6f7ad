import Formats
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// An error of the API (RFC 9457): a stable code to act on, and a sentence that says what to do next.
///
/// `detail` never holds a token, secret, code, state, verifier or key.
struct Problem: Error {
    var status: HTTPResponse.Status
    let code: String
    var detail: String
    var headers: HTTPFields = [:]
    /// The redirect address to register for a client that is not there yet.
    var redirectURI: String?
    var missing: MissingScope?

    /// The scope that a token lacks, for programs that ask for another token with it.
    struct MissingScope {
        let required: String
        let granted: [String]
    }

    static let notFound = Problem(
        status: .notFound, code: "not_found", detail: "nothing is at this address; see the API's documentation")
    static let bodyTooLarge = Problem(
        status: .contentTooLarge, code: "body_too_large", detail: "send a body of at most 64 KiB",
        headers: [.connection: "close"])
    /// Ends the connection: what follows a body that is not one cannot be told from it.
    static let bodyBroken = Problem(
        status: .badRequest, code: "invalid_request",
        detail: "the body did not arrive whole, or its chunks are malformed (RFC 9112 § 7.1)",
        headers: [.connection: "close"])
    static let internalError = Problem(
        status: .internalServerError, code: "internal_error",
        detail: "the broker failed; the operator finds the reason in the log under this requestId")
    static let unavailable = Problem(
        status: .serviceUnavailable, code: "unavailable",
        detail: "the broker cannot keep or read data now; try again in a moment", headers: [.retryAfter: "5"])

    static func invalidRequest(_ detail: String) -> Problem {
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

    func response(path: String, requestID: String) -> Response {
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
        }
        // `about:blank` (RFC 9457 § 4.2.1): the title is the status's own; `code` is what programs act on.
        let body = Body(
            type: "about:blank", title: status.reasonPhrase, status: status.code, detail: detail,
            instance: path, code: code, requestId: requestID, redirectUri: redirectURI,
            error: missing == nil ? nil : code, required: missing?.required, granted: missing?.granted)
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
    static func json(_ value: some Encodable) -> ResponseBody {
        ResponseBody(byteBuffer: ByteBuffer(json: value))
    }
}

extension HTTPField.Name {
    static let requestID = HTTPField.Name("X-Request-Id")!
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
    static let traceparent = HTTPField.Name("traceparent")!
    static let tracestate = HTTPField.Name("tracestate")!
    static let secPurpose = HTTPField.Name("Sec-Purpose")!
    static let purpose = HTTPField.Name("Purpose")!
    static let xPurpose = HTTPField.Name("X-Purpose")!
    static let xMoz = HTTPField.Name("X-Moz")!
    static let secFetchDest = HTTPField.Name("Sec-Fetch-Dest")!
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
    static let crossOriginResourcePolicy = HTTPField.Name("Cross-Origin-Resource-Policy")!
}
