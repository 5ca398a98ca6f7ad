import HTTPTypes

/// The reasons why a call is turned away (RFC 6750 § 3.1).
package enum BearerTokenError: Error, Equatable {
    /// There is no Authorization header.
    case tokenMissing
    /// The reason names the check, never the token.
    case tokenInvalid(String)
    /// The token is sound, and for other tenants.
    case wrongTenant
    /// The token is sound, and has none of the scopes that would do.
    case insufficientScope(wanted: String, granted: [String])
    /// The issuer's keys could not be fetched; an `IssuerOutage` tells why.
    case keysUnavailable

    /// The answer, with its challenge (RFC 6750 § 3).
    package var problem: Problem {
        switch self {
        case .tokenMissing:
            // RFC 6750 § 3.1: without credentials, no error code.
            Problem(
                status: .unauthorized, code: "invalid_token",
                detail: "send an Authorization header with a Bearer token",
                headers: [.wwwAuthenticate: "Bearer realm=\"cloakroom\""])
        case .tokenInvalid(let reason):
            Problem(
                status: .unauthorized, code: "invalid_token", detail: "the token is not accepted: \(reason)",
                headers: [
                    .wwwAuthenticate:
                        "Bearer realm=\"cloakroom\", error=\"invalid_token\", error_description=\"\(reason)\""
                ])
        case .wrongTenant:
            Problem(
                status: .forbidden, code: "wrong_tenant",
                detail: "the token is for another tenant; use one whose tenant claim holds this tenant")
        case .insufficientScope(let wanted, let granted):
            Problem(
                status: .forbidden, code: "insufficient_scope", detail: "the token lacks the scope; it needs \(wanted)",
                headers: [
                    .wwwAuthenticate:
                        "Bearer realm=\"cloakroom\", error=\"insufficient_scope\", scope=\"\(wanted)\""
                ], missing: Problem.MissingScope(required: wanted, granted: granted))
        case .keysUnavailable:
            Problem(
                status: .serviceUnavailable, code: "unavailable",
                detail: "the token issuer's keys cannot be fetched; try again in a moment", headers: [.retryAfter: "5"])
        }
    }
}
