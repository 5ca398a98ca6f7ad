extension TransportError {
    /// The reason in words for operators, behind the name of an endpoint or host.
    package var words: String {
        switch self {
        case .timedOut: "no answer came in time"
        case .nameNotResolved: "its name does not resolve (DNS)"
        case .connectionRefused: "the connection was refused, or there is no way to it"
        case .unreachable: "the connection broke before an answer came"
        case .tlsFailed:
            "TLS failed: no common version, or a certificate that is not trusted, expired or another host's"
        case .addressNotAllowed: "its address is not allowed: private or reserved, not https, or malformed"
        case .proxyFailed: "the egress proxy cannot be reached, or refused to connect"
        case .responseTooLarge: "its answer was longer than it may be"
        case .malformedResponse: "its answer was not HTTP"
        case .cancelled: "the service stops, or nobody waits any more"
        case .overloaded: "too many requests wait to be sent"
        case .rateLimited: "it was not asked: others have their share of requests under way"
        }
    }
}
