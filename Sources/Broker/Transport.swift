/// One request to a provider, complete and ready to send.
///
/// Its address and body may hold a code, a verifier or a client secret, so it prints as its method alone.
public struct ProviderRequest: Sendable {
    public enum Method: String, Sendable, Hashable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    public var method: Method
    public var url: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]?
    /// Shown in the TLS handshake (RFC 8705).
    public var certificate: ClientCertificate?
    /// What it is sent for. For figures alone.
    public var sourceType: SourceType.ID?
    /// For whom it is sent.
    public var cause = Cause.broker

    public init(
        method: Method, url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}

extension ProviderRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "[redacted \(method.rawValue) request]" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// What a provider answered: hostile text until something has read it strictly. May hold tokens.
public struct ProviderResponse: Sendable {
    public var status: Int
    /// Names in lower case, in the order they came.
    public var headers: [(name: String, value: String)]
    /// Decompressed, never longer than the transport's cap.
    public var body: [UInt8]

    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first value of a header; `name` in lower case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }
}

extension ProviderResponse: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "[redacted response \(status), \(body.count) bytes]" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Why no response came. Each case is safe as a metric label and holds nothing of the request.
public enum TransportError: String, Error, Sendable, Hashable, CaseIterable {
    /// The deadline passed: while queued, resolving, connecting, sending or reading.
    case timedOut = "timed_out"
    /// The host's name did not resolve.
    case nameNotResolved = "name_not_resolved"
    /// Nothing listens there, or no way leads there.
    case connectionRefused = "connection_refused"
    /// The connection broke.
    case unreachable
    /// TLS failed: no common version, or a certificate that is wrong, expired or another host's.
    case tlsFailed = "tls_failed"
    /// The address is malformed, not https, or resolves to an address that is not allowed.
    case addressNotAllowed = "address_not_allowed"
    /// The body was longer than the cap, before or after decompression.
    case responseTooLarge = "response_too_large"
    /// What came was not HTTP.
    case malformedResponse = "malformed_response"
    /// The caller gave up, or the transport is shut down.
    case cancelled
    /// Too many requests wait already. This one was not sent.
    case overloaded
    /// Its tenant, or those who ask the same host, have as many under way as they may; it waited for its turn as long
    /// as it can, and was not sent.
    case rateLimited = "rate_limited"
}

/// Sends one request to a provider. Knows no OAuth; follows no redirect.
public protocol Transport: Sendable {
    func send(_ request: ProviderRequest) async throws(TransportError) -> ProviderResponse

    /// Tells whether so many requests of flows wait that one tenant's alone may be too many.
    var isBusy: Bool { get }

    /// Tells whether so many requests of a tenant's flows wait that nothing should be begun that needs one more.
    func isBusy(for tenant: TenantID) -> Bool
}

extension Transport {
    public var isBusy: Bool { false }
    public func isBusy(for tenant: TenantID) -> Bool { isBusy }
}
