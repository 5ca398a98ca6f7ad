public import Catalog
public import Formats
public import Transport

/// A request to a provider, with its cause.
///
/// Its address and body may hold a code, a verifier or a client secret, so it prints as its method alone.
public struct ProviderRequest: Sendable {
    /// The request that the transport sends.
    public var http: TransportRequest
    /// The source type that it is sent for, for metrics and spans alone; `nil` for metadata and keys.
    public var sourceType: SourceType.ID?
    /// The one for whom it is sent; its turn depends on it.
    public var cause: Cause

    /// Wraps a request; by default as the broker's own.
    public init(_ http: TransportRequest, cause: Cause = .broker) {
        self.http = http
        self.cause = cause
    }

    /// Makes a request of the broker's own.
    public init(
        method: RequestMethod, url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil
    ) {
        self.init(TransportRequest(method: method, url: url, headers: headers, body: body))
    }

    /// The method of `http`.
    public var method: RequestMethod { http.method }
    /// The address of `http`, secrets in its query included.
    public var url: String { http.url }
    /// The headers of `http`, in their order, with the credentials among them.
    public var headers: [(name: String, value: String)] { http.headers }
    /// The body of `http`; `nil` where it has none.
    public var body: [UInt8]? { http.body }
}

extension ProviderRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The method alone.
    public var description: String { http.description }
    /// The same as `description`.
    public var debugDescription: String { description }
    /// Empty, so that `dump` shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A provider's answer: untrusted, its body capped by the transport.
public typealias ProviderResponse = TransportResponse
