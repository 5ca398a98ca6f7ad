/// The reasons why no response came. Each case is safe as a metric label and holds nothing of the request.
public enum TransportError: String, Error, Sendable, Hashable, CaseIterable {
    /// The deadline passed: while queued, resolving, connecting, sending or reading.
    case timedOut = "timed_out"
    /// The host's name did not resolve.
    case nameNotResolved = "name_not_resolved"
    /// Nothing listens there, or no route leads there.
    case connectionRefused = "connection_refused"
    /// The connection broke, or failed in a way that no other case names.
    case unreachable
    /// TLS failed: no common version, or a certificate that is wrong, expired or another host's.
    case tlsFailed = "tls_failed"
    /// The address is malformed, not https, or resolves to an address that is not allowed.
    case addressNotAllowed = "address_not_allowed"
    /// The egress proxy cannot be reached, or did not let the request through.
    case proxyFailed = "proxy_failed"
    /// The body was longer than the cap, before or after decompression.
    case responseTooLarge = "response_too_large"
    /// The answer was not HTTP, or its content could not be decoded.
    case malformedResponse = "malformed_response"
    /// The caller gave up, or the transport is shut down.
    case cancelled
    /// Too many requests wait already. This one was not sent.
    case overloaded
    /// As many requests of its tenant, or to its host, are under way as may be. It waited for its turn as long as it
    /// can, and was not sent.
    case rateLimited = "rate_limited"
}
