import Transport

extension BrokerError: CustomStringConvertible {
    /// For a log or an operator: lower case, without a full stop, and without anything secret.
    public var description: String {
        switch self {
        case .invalidCredentialKey: "the credential key is not valid (any more)"
        case .reauthorizationRequired: "the provider takes the refresh token no more"
        case .unknownSourceType: "the broker does not know the source type"
        case .sourceTypeWithoutOAuth: "the source type has nothing to connect by OAuth"
        case .invalidParameter: "the broker calls a parameter of the source type missing, unknown or malformed"
        case .notConfigured: "the broker has no client for the source type"
        case .revocationUnsupported: "the provider revokes no such tokens"
        case .invalidRequest: "the broker calls the request malformed"
        case .noToken(let fault): "there is no token for the broker: \(fault)"
        case .unauthorized: "the broker does not take this service's token"
        case .wrongTenant: "this service's token for the broker is not for the tenant"
        case .insufficientScope(let required):
            "this service's token for the broker lacks the scope \(required ?? "that the call needs")"
        case .rateLimited: "the broker has too many requests"
        case .unavailable: "the broker is unavailable"
        case .internalError: "the broker failed"
        case .providerRejected: "the provider refused the broker"
        case .providerUnreachable: "the broker cannot reach the provider"
        case .providerTimedOut: "the provider took too long for the broker"
        case .unreachable(let error): "the broker cannot be reached (\(error.rawValue))"
        case .timedOut: "the broker took too long"
        case .cancelled: "the call of the broker was given up"
        case .malformedAnswer(let status): "the broker's answer (\(status)) cannot be read"
        case .refused(let status, let code, _):
            "the broker answered \(status)" + (code.map { " (\($0))" } ?? "")
        }
    }
}
