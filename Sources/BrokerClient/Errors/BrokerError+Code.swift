import Transport

extension BrokerError {
    /// The error that a refusal means, by the stable `code` of its problem (Docs/API.md).
    init(status: Int, code: String?, retryAfter: Duration?, required: String?) {
        self =
            switch code {
            case "invalid_credential_key": .invalidCredentialKey
            case "reauthorization_required": .reauthorizationRequired
            case "unknown_source_type": .unknownSourceType
            case "source_type_without_oauth": .sourceTypeWithoutOAuth
            case "invalid_parameter": .invalidParameter
            case "source_type_not_configured": .notConfigured
            case "revocation_unsupported": .revocationUnsupported
            case "invalid_request": .invalidRequest
            case "invalid_token": .unauthorized
            case "wrong_tenant": .wrongTenant
            case "insufficient_scope": .insufficientScope(required: required)
            case "rate_limited": .rateLimited(retryAfter: retryAfter)
            case "unavailable": .unavailable(retryAfter: retryAfter)
            case "internal_error": .internalError
            case "provider_rejected": .providerRejected(retryAfter: retryAfter)
            case "provider_unreachable": .providerUnreachable(retryAfter: retryAfter)
            case "provider_timeout": .providerTimedOut(retryAfter: retryAfter)
            default: .refused(status: status, code: code, retryAfter: retryAfter)
            }
    }

    init(_ error: TransportError) {
        self =
            switch error {
            case .timedOut: .timedOut
            case .cancelled: .cancelled
            default: .unreachable(error)
            }
    }
}
