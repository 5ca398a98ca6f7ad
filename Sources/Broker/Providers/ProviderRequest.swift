public import Catalog
public import Formats
public import Transport

/// One request to a provider, for whom it is sent and what for.
///
/// Its address and body may hold a code, a verifier or a client secret, so it prints as its method alone.
public struct ProviderRequest: Sendable {
    public var http: TransportRequest
    /// The source type that it is sent for. For metrics and spans alone.
    public var sourceType: SourceType.ID?
    /// For whom it is sent.
    public var cause: Cause

    public init(_ http: TransportRequest, cause: Cause = .broker) {
        self.http = http
        self.cause = cause
    }

    public init(
        method: RequestMethod, url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil
    ) {
        self.init(TransportRequest(method: method, url: url, headers: headers, body: body))
    }

    public var method: RequestMethod { http.method }
    public var url: String { http.url }
    public var headers: [(name: String, value: String)] { http.headers }
    public var body: [UInt8]? { http.body }
}

extension ProviderRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { http.description }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A provider's answer.
public typealias ProviderResponse = TransportResponse
