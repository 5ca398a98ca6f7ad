import Broker
import Catalog
import Formats
import HTTPService
import HTTPTypes

// The words for callers' programs. Each switch is whole, so that a new case asks for its words.

extension ClientSettingError {
    var problem: Problem {
        switch self {
        case .request(.notConfigured), .request(.parameterNotSetByOperator):
            Problem(
                status: .badRequest, code: "invalid_parameter",
                detail: "this source type has parameters that only an operator sets; send them as \"parameters\"")
        case .request(let error): error.problem
        case .malformed(let member):
            .invalidRequest("the member \"\(member)\" must be visible ASCII as the provider gave it")
        case .secretMissing:
            .invalidRequest("the member \"clientSecret\" is missing; the provider gives it with the client id")
        case .needsKey:
            .invalidRequest(
                "this source type's client authenticates by a key; set it in the configuration, under clients")
        case .store(let error): .unavailable(error)
        }
    }
}

extension AuthorizeError {
    var problem: Problem {
        switch self {
        case .unknownSourceType:
            Problem(
                status: .badRequest, code: "unknown_source_type",
                detail: "there is no such source type; assets:sourceTypes lists them")
        case .withoutOAuth(let id):
            Problem(
                status: .badRequest, code: "source_type_without_oauth",
                detail: "the source type \"\(id)\" has nothing to connect by OAuth")
        case .notConfigured(let id):
            Problem(
                status: .conflict, code: "source_type_not_configured",
                detail: "the source type \"\(id)\" has no client id; the operator sets one under clients")
        case .parameterUnknown(let name, let known):
            Problem(
                status: .badRequest, code: "invalid_parameter",
                detail: known.isEmpty
                    ? "this source type takes no parameters; leave them out"
                    : "the parameter \(name.quoted) is unknown; this source type takes \(known.joined(separator: ", "))"
            )
        case .parameterMissing(let name):
            Problem(
                status: .badRequest, code: "invalid_parameter", detail: "the parameter \"\(name)\" is missing; send it")
        case .parameterRejected(let name, let pattern):
            Problem(
                status: .badRequest, code: "invalid_parameter",
                detail: "the parameter \"\(name)\" must match \(pattern) as a whole, in at most 2048 bytes")
        case .parametersTooLong:
            Problem(
                status: .badRequest, code: "invalid_parameter",
                detail: "the parameters are too long together; send at most 4096 bytes")
        case .serverMalformed(let name):
            Problem(
                status: .badRequest, code: "invalid_parameter",
                detail: "the parameter \"\(name)\" must be an https address without fragment or user information")
        case .serverNotAllowed(let name):
            Problem(
                status: .badRequest, code: "invalid_parameter",
                detail:
                    "the parameter \"\(name)\" names a server that is not open here; the operator lists hosts in mcp.servers"
            )
        case .parameterIsTheOperators(let name):
            Problem(
                status: .badRequest, code: "invalid_parameter",
                detail: "the parameter \"\(name)\" comes with the client, from the operator; leave it out")
        case .parameterNotSetByOperator(let name):
            Problem(
                status: .conflict, code: "source_type_not_configured",
                detail: "only the operator can set the parameter \"\(name)\", under clients with the client id")
        case .scopesMalformed:
            .invalidRequest(
                "the member \"scopes\" must be a list of single scopes (RFC 6749 § 3.3), at most 200 and 2048 bytes")
        case .returnURLMalformed:
            .invalidRequest(
                "the member \"returnUrl\" must be an absolute address without fragment or user information"
            )
        case .returnURLNotAllowed:
            .invalidRequest(
                "the member \"returnUrl\" is not allowed for this tenant; the operator lists addresses in frontend.returnURLs (compared letter by letter, query included), or origins in frontend.origins, or both in frontend.tenants"
            )
        case .returnURLWithoutChallenge:
            .invalidRequest(
                "the member \"returnUrl\" needs an \"exchangeChallenge\"; keep its verifier in the browser, or use connect.js"
            )
        case .frontendOriginNotAllowed:
            .invalidRequest(
                "the frontend origin (Origin header or member \"frontendOrigin\") is not one that this tenant's pages may have; the operator lists them in frontend.origins or frontend.tenants"
            )
        case .exchangeChallengeMalformed:
            .invalidRequest(
                "the member \"exchangeChallenge\" must be the base64url SHA-256 of the verifier, 43 characters")
        case .hintsNotTaken(let member):
            .invalidRequest(
                "the member \"\(member)\" is not known to this source type's provider; leave it out (catalog: hints)"
            )
        case .hintMalformed(let member):
            .invalidRequest("the member \"\(member)\" must be 1 to 2048 bytes of text without control characters")
        case .tenantHasTooManyFlows:
            Problem(
                status: .tooManyRequests, code: "rate_limited",
                detail: "too many of the tenant's connections wait for their users; try again when some have ended",
                headers: [.retryAfter: "10"])
        case .tooManyFlows:
            Problem(
                status: .serviceUnavailable, code: "unavailable",
                detail: "too many connections wait for their users; try again in a moment", headers: [.retryAfter: "5"],
                reason: "as many flows are outstanding as limits.outstandingFlows allows")
        case .tooManyRegistrations(let seconds):
            Problem(
                status: .tooManyRequests, code: "rate_limited",
                detail:
                    "this tenant had the broker register at as many authorization servers as it may in an hour; try again when it is over, or connect a server that others are connected to",
                headers: [.retryAfter: String(seconds)])
        case .provider(let error): error.problem
        case .store(let error): .unavailable(error)
        }
    }
}

extension ProviderError {
    var problem: Problem {
        var problem =
            switch self {
            case .rejected(let error, _, _):
                Problem(
                    status: .badGateway, code: "provider_rejected",
                    detail:
                        "the provider refused\(Self.inBrackets(error)); try again later, or ask the operator")
            case .unreachable:
                Problem(
                    status: .badGateway, code: "provider_unreachable",
                    detail: "the provider could not be reached; try again in a moment")
            case .timedOut:
                Problem(
                    status: .gatewayTimeout, code: "provider_timeout",
                    detail: "the provider took too long; try again in a moment")
            case .closed: Problem.unavailable(reason)
            case .rateLimited:
                Problem(
                    status: .tooManyRequests, code: "rate_limited",
                    detail:
                        "too many requests of this tenant, or to this provider, are under way; try again in a moment"
                )
            }
        problem.reason = reason.description
        if case .rejected(_, let seconds?, _) = self {
            problem.headers[.retryAfter] = String(seconds)
        } else {
            problem.headers[.retryAfter] = "5"
        }
        return problem
    }
}

extension ProviderError {
    /// A known error code for a sentence of `detail`.
    fileprivate static func inBrackets(_ code: String?) -> String { ProviderText.known(code).map { " (\($0))" } ?? "" }
}

extension RefreshError {
    var problem: Problem {
        switch self {
        case .request(let error): error.problem
        case .reauthorizationRequired(let reason):
            Problem(
                status: .badRequest, code: "reauthorization_required",
                detail:
                    "this refresh token is good for nothing any more: the provider does not accept it, or the broker may not send it there; have the person connect again",
                reason: reason.description)
        case .provider(let error): error.problem
        case .store(let error): .unavailable(error)
        }
    }
}

extension TokenRevocationError {
    var problem: Problem {
        switch self {
        case .request(let error): error.problem
        case .unsupported(let id):
            Problem(
                status: .conflict, code: "revocation_unsupported",
                detail: "the provider of \"\(id)\" revokes no tokens; delete the token, and tell the person")
        case .reauthorizationRequired(let reason):
            Problem(
                status: .badRequest, code: "reauthorization_required",
                detail:
                    "the broker may not send this token to an authorization server any more: the server takes tokens of others, the broker is no client there, or its endpoints moved; have the person connect again",
                reason: reason.description)
        case .onlyTokenType(let type):
            Problem(
                status: .conflict, code: "revocation_unsupported",
                detail: "the provider revokes only tokens of type \(type); send that one")
        case .provider(let error): error.problem
        case .store(let error): .unavailable(error)
        }
    }
}

extension CallbackError {
    var problem: Problem {
        switch self {
        case .invalidState:
            Problem(
                status: .badRequest, code: code,
                detail: "this attempt to connect is not valid any more; start again where you clicked Connect")
        case .denied:
            Problem(
                status: .badRequest, code: code,
                detail: "the provider did not grant access; start again and agree to connect")
        case .invalidCallback:
            Problem(
                status: .badRequest, code: code, detail: "the provider's answer had not exactly one code; start again")
        case .issuerMismatch:
            Problem(
                status: .badRequest, code: code,
                detail: "the answer came from another issuer than the one asked; start again, and tell the operator")
        case .providerRejected(let error):
            Problem(
                status: .badGateway, code: code,
                detail: "the provider gave no tokens for the code\(ProviderError.inBrackets(error)); start again")
        case .providerUnreachable:
            Problem(
                status: .badGateway, code: code, detail: "the provider could not be reached; start again in a moment")
        case .providerTimeout:
            Problem(
                status: .gatewayTimeout, code: code, detail: "the provider took too long; start again in a moment")
        case .notConfigured(let id):
            Problem(
                status: .conflict, code: code,
                detail: "the source type \"\(id)\" is not configured any more; ask the operator")
        case .store(let error): .unavailable(error)
        }
    }
}
