import HTTPTypes
import Hummingbird

/// An error of RFC 6749 § 4.1.2.1 or § 5.2, with a sentence for the client's developer.
struct OAuthError: Error, Equatable {
    enum Code: String, Sendable {
        case invalidRequest = "invalid_request"
        case invalidClient = "invalid_client"
        case invalidGrant = "invalid_grant"
        case invalidScope = "invalid_scope"
        case unsupportedResponseType = "unsupported_response_type"
        case unsupportedGrantType = "unsupported_grant_type"
        case accessDenied = "access_denied"
        case serverError = "server_error"
    }

    let code: Code
    let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// The error as the token endpoint tells it (RFC 6749 § 5.2).
    func response(status: HTTPResponse.Status? = nil) throws -> Response {
        let status = status ?? (code == .invalidClient ? .unauthorized : .badRequest)
        let headers: HTTPFields = code == .invalidClient ? [.wwwAuthenticate: #"Basic realm="sandbox""#] : [:]
        return try .json(["error": code.rawValue, "error_description": description], status: status, headers: headers)
    }
}
