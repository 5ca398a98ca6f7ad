public import Transport

/// A reason why a call of the broker came to nothing. No case holds a token, a key, or a sentence that another wrote.
public enum BrokerError: Error, Hashable, Sendable {
    // The grant.

    /// Unknown, malformed, used, expired, revoked, another tenant's, or with another verifier: have the person connect
    /// again.
    case invalidCredentialKey
    /// The provider takes the refresh token no more: have the person connect again.
    case reauthorizationRequired

    // The request.

    case unknownSourceType
    /// There is nothing to connect by OAuth.
    case sourceTypeWithoutOAuth
    /// A parameter is missing, unknown, or not of its pattern.
    case invalidParameter
    /// The operator has set no client for the source type.
    case notConfigured
    /// The provider revokes no such tokens.
    case revocationUnsupported
    /// The request is malformed; nothing was spent.
    case invalidRequest

    // The service's own token.

    /// There is no token to call with; nothing was sent.
    case noToken(BrokerAuthorization.Fault)
    /// The broker does not take the service's token: its issuer, audience, signature or expiry.
    case unauthorized
    /// The service's token is for other tenants.
    case wrongTenant
    /// The service's token lacks a scope.
    case insufficientScope(required: String?)

    // What may pass.

    /// Too many requests.
    case rateLimited(retryAfter: Duration?)
    /// The broker cannot work for the moment.
    case unavailable(retryAfter: Duration?)
    /// The broker failed; its log has the reason.
    case internalError
    /// The provider refused the broker, or gave an answer that is none.
    case providerRejected(retryAfter: Duration?)
    case providerUnreachable(retryAfter: Duration?)
    case providerTimedOut(retryAfter: Duration?)

    // No answer of a broker.

    /// The broker cannot be reached, or the connection broke.
    case unreachable(TransportError)
    /// No answer came in time.
    case timedOut
    /// The caller gave up, or the transport is shut down.
    case cancelled
    /// An answer that is not what a broker says.
    case malformedAnswer(status: Int)
    /// A refusal with a code that this client does not know, or by something in front of the broker that has none.
    case refused(status: Int, code: String?, retryAfter: Duration?)

    /// The same call may succeed later.
    public var isTemporary: Bool {
        switch self {
        case .rateLimited, .unavailable, .internalError, .providerRejected, .providerUnreachable, .providerTimedOut,
            .timedOut, .malformedAnswer:
            true
        case .unreachable(let error): error != .addressNotAllowed
        case .refused(let status, _, _): status == 429 || status >= 500
        case .invalidCredentialKey, .reauthorizationRequired, .unknownSourceType, .sourceTypeWithoutOAuth,
            .invalidParameter, .notConfigured, .revocationUnsupported, .invalidRequest, .noToken, .unauthorized,
            .wrongTenant, .insufficientScope, .cancelled:
            false
        }
    }

    /// The time that the broker asks to wait before the next try.
    public var retryAfter: Duration? {
        switch self {
        case .rateLimited(let wait), .unavailable(let wait), .providerRejected(let wait),
            .providerUnreachable(let wait), .providerTimedOut(let wait), .refused(_, _, let wait):
            wait
        default: nil
        }
    }

    /// The key of a redemption that ended so may be spent though nothing came of it: treat it as spent. A repetition
    /// would raise the alarm for stolen keys.
    public var mayHaveSpentKey: Bool {
        switch self {
        case .unreachable(.nameNotResolved), .unreachable(.connectionRefused), .unreachable(.addressNotAllowed),
            .unreachable(.overloaded), .unreachable(.rateLimited), .unreachable(.tlsFailed):
            // Nothing was sent.
            false
        case .unreachable, .timedOut, .cancelled, .malformedAnswer: true
        // Without a code it is not the broker who speaks.
        case .refused(_, let code, _): code == nil
        default: false
        }
    }
}
