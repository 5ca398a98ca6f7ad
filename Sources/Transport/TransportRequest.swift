public import Formats

/// One HTTP request, complete and ready to send.
///
/// Its address and body may hold a code, a verifier or a client secret, so it prints as its method alone.
public struct TransportRequest: Sendable {
    /// A POST is sent at most once, whatever goes wrong.
    public var method: RequestMethod
    /// Absolute and in visible ASCII; https, or http where the transport allows it.
    public var url: String
    /// Sent in this order. The transport refuses a request with those that it sets itself (`HeaderText.framing`).
    public var headers: [(name: String, value: String)]
    /// `nil`: none, but for a POST, whose body is empty then.
    public var body: [UInt8]?
    /// Shown in the TLS handshake (RFC 8705 § 2). `nil`: none.
    public var certificate: ClientCertificate?
    /// The time that it may take, where that is less than the transport's own. `nil`: the transport's.
    public var timeout: Duration?
    /// Ends the request once status and headers are there: the response has no body then. For servers whose body may
    /// never end.
    public var wantsHeadAlone = false

    /// Checks nothing; the transport does.
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
