public import Formats

/// One HTTP request, complete and ready to send.
///
/// Its address and body may hold a code, a verifier or a client secret, so it prints as its method alone.
public struct TransportRequest: Sendable {
    public var method: RequestMethod
    public var url: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]?
    /// Shown in the TLS handshake (RFC 8705).
    public var certificate: ClientCertificate?

    public init(
        method: RequestMethod, url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}

extension TransportRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "[redacted \(method.rawValue) request]" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
