import Assets
import BrokerClient
import Formats
import HTTPService
import HTTPTypes

// The words for callers' programs. Each switch is whole, so that a new case asks for its words.

extension Problem {
    /// One answer for an id that is none, that nobody made, and that another tenant made.
    static let nothingThere = Problem(
        status: .notFound, code: "not_found",
        detail: "there is nothing of this id here; it may never have been, or is deleted, or another tenant's")

    static let unknownDocument = Problem(
        status: .badRequest, code: "unknown_document",
        detail: "\"documentIds\" names a document that is not this asset's; assets/{asset}/documents lists them")

    static func operationInProgress(_ operation: OperationID) -> Problem {
        var problem = Problem(
            status: .conflict, code: "operation_in_progress",
            detail: "an operation of this asset is not done yet; wait for it or cancel it, then try again")
        problem.operation = operation.description
        return problem
    }

    static let keyReused = Problem(
        status: .unprocessableContent, code: "idempotency_key_reused",
        detail: "this Idempotency-Key came with another request before; use a new key for each request")

    static let keyInUse = Problem(
        status: .conflict, code: "idempotency_key_in_use",
        detail: "the first request with this Idempotency-Key is under way; send it again in a moment",
        headers: [.retryAfter: "1"])

    static func invalidParameter(_ detail: String) -> Problem {
        Problem(status: .badRequest, code: "invalid_parameter", detail: detail)
    }
}

extension AssetStoreError {
    var problem: Problem {
        let reason =
            switch self {
            case .unavailable(let reason): reason
            case .closed: "the service stops"
            }
        return Problem(
            status: .serviceUnavailable, code: "unavailable",
            detail: "the service cannot keep or read data now; try again in a moment", headers: [.retryAfter: "5"],
            reason: reason)
    }
}

extension BrokerError {
    /// The answer to a caller whose key could not be redeemed.
    var problem: Problem {
        var problem =
            switch self {
            case .invalidCredentialKey:
                Problem(
                    status: .badRequest, code: "invalid_credential_key",
                    detail: "the broker does not take this credential key; connect again and send the new key")
            case .timedOut:
                Problem(
                    status: .gatewayTimeout, code: "broker_timeout",
                    detail: "the broker took too long; the key may be spent: if it is refused next, connect again")
            case .rateLimited:
                Problem(
                    status: .tooManyRequests, code: "rate_limited",
                    detail: "the broker has too many requests; try again in a moment")
            case .reauthorizationRequired, .unknownSourceType, .sourceTypeWithoutOAuth, .invalidParameter,
                .notConfigured, .revocationUnsupported, .invalidRequest, .noToken, .unauthorized, .wrongTenant,
                .insufficientScope, .unavailable, .internalError, .providerRejected, .providerUnreachable,
                .providerTimedOut, .unreachable, .cancelled, .malformedAnswer, .refused:
                Problem(
                    status: .badGateway, code: "broker_unreachable",
                    detail: mayHaveSpentKey
                        ? "the broker did not answer; the key may be spent: if it is refused next, connect again"
                        : "the broker did not answer; try again in a moment")
            }
        problem.reason = description
        if let retryAfter { problem.headers[.retryAfter] = String(max(1, retryAfter.components.seconds)) }
        return problem
    }
}

extension SourceParameterFault {
    /// - Parameter sourceType: the one whose parameters were given.
    func problem(of sourceType: SourceType) -> Problem {
        let names = sourceType.properties.map(\.name)
        switch self {
        case .unknown(let name):
            return .invalidParameter(
                names.isEmpty
                    ? "the parameter \(name.quoted) is unknown: sources of this type have none"
                    : "the parameter \(name.quoted) is unknown; sources of this type have \(names.joined(separator: ", "))"
            )
        case .missing(let name): return .invalidParameter("the parameter \"\(name)\" is missing; send it")
        case .notOfKind(let name, let kind):
            let wanted =
                switch kind {
                case .string: "text"
                case .boolean: "true or false"
                case .integer: "a whole number"
                }
            return .invalidParameter("the parameter \"\(name)\" must be \(wanted)")
        case .malformed(let name, let form):
            let wanted =
                switch form {
                case .any: "1 to 2048 bytes of text without control characters"
                case .webAddress: "an absolute http or https address of at most 2048 bytes, without user information"
                case .repository: "a repository as owner/name"
                case .gitReference: "the name of a branch or tag, or a commit"
                case .within(let bounds): "a whole number from \(bounds.lowerBound) to \(bounds.upperBound)"
                }
            return .invalidParameter("the parameter \"\(name)\" must be \(wanted)")
        }
    }
}
