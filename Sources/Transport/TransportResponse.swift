/// A server's answer: hostile text until something has read it strictly. May hold tokens.
public struct TransportResponse: Sendable {
    /// That of the last response: interim ones (RFC 9110 § 15.2) are passed over.
    public var status: Int
    /// Names in lower case, in the order they came.
    public var headers: [(name: String, value: String)]
    /// Decompressed, never longer than the transport's cap.
    public var body: [UInt8]

    /// For transports, which see to what the properties promise.
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

extension TransportResponse: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "[redacted response \(status), \(body.count) bytes]" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
