extension CurlTransport {
    /// Limits and permissions of a transport. The defaults suit production.
    public struct Configuration: Sendable {
        /// The time that resolving, connecting and the TLS handshake may take together.
        public var connectTimeout: Duration
        /// The time that a request may take in all, from `send` to the last byte, waiting for its turn included.
        public var timeout: Duration
        /// The longest body that is accepted, both as it is sent and decompressed.
        public var maxResponseBytes: Int
        /// Permits `http` addresses. For trials and tests.
        public var allowInsecure: Bool
        /// Permits loopback, private and shared addresses; never metadata services, link-local, multicast and the like.
        /// For trials and tests.
        public var allowPrivateAddresses: Bool
        /// A PEM file of the certificate authorities to trust in place of the system's.
        public var caFile: String?
        /// The way of all requests but to its exceptions; `nil`: to the servers, whatever the environment says.
        public var proxy: EgressProxy?
        /// The number of requests that run at once, at least 1. The others wait in order, their time running.
        public var maxConcurrent: Int
        /// The number of requests that may wait, at least 1. One more is answered `.overloaded` at once.
        public var maxWaiting: Int
        /// The `User-Agent` header of requests that bring none. Control characters are left out.
        public var userAgent: String

        /// Checks nothing. Times are held between 1 ms and a day where they are used.
        public init(
            connectTimeout: Duration = .seconds(5), timeout: Duration = .seconds(15),
            maxResponseBytes: Int = 1 << 20, allowInsecure: Bool = false, allowPrivateAddresses: Bool = false,
            caFile: String? = nil, maxConcurrent: Int = 64, maxWaiting: Int = 4096, userAgent: String = "cloakroom"
        ) {
            self.connectTimeout = connectTimeout
            self.timeout = timeout
            self.maxResponseBytes = maxResponseBytes
            self.allowInsecure = allowInsecure
            self.allowPrivateAddresses = allowPrivateAddresses
            self.caFile = caFile
            self.maxConcurrent = maxConcurrent
            self.maxWaiting = maxWaiting
            self.userAgent = userAgent
        }
    }
}
