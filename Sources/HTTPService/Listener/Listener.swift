import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// The bounds within which untrusted peers may use one listener.
public struct ListenerBounds: Sendable {
    /// Connections at once; one more is closed as soon as it is made.
    public var maxConnections: Int
    /// The time that a whole request may take to arrive, and an answer to be taken.
    public var requestTimeout: Duration

    /// Checks nothing; the configuration's reader does.
    public init(maxConnections: Int = 10_000, requestTimeout: Duration = .seconds(15)) {
        self.maxConnections = maxConnections
        self.requestTimeout = requestTimeout
    }

    /// The time that a connection may wait for its next request. Longer than the 60 seconds after which common proxies
    /// drop theirs, so that none of them sends a request over one that is just being closed.
    static let idleTimeout = TimeAmount.seconds(75)
    /// The whole of a request as it is sent: a body of 64 KiB in chunks of 8 bytes, and its head, are less.
    static let requestBytes = 1 << 20
    /// The least bytes a second, on average, of a body that may be larger than most: it has so much more time than
    /// `requestTimeout`. 50 MiB take 27 minutes at 256 kbit/s.
    static let bodyPace = 32 * 1024
    /// A request's head: line and fields.
    static let headBytes = 32 * 1024
    static let fields = 128
    /// One read from a socket. It bounds how many pipelined requests come at once.
    static let readBytes = 16 * 1024
}

/// Hummingbird's HTTP/1.1, for untrusted peers: before it, each connection gets a `ConnectionWatch` for
/// its bytes and times, and behind the decoder a `RequestGuard` for its messages.
struct Listener: ServerChildChannel {
    private let http: HTTP1Channel
    private let connections: Connections
    private let timeout: TimeAmount
    private let largestBody: RequestGuard.LargestBody
    private let refuse: Refusal.Maker

    init(
        responder: @escaping HTTPChannelHandler.Responder, connections: Connections, timeout: Duration,
        largestBody: @escaping RequestGuard.LargestBody, refuse: @escaping Refusal.Maker
    ) {
        http = HTTP1Channel(
            responder: responder,
            configuration: .init(
                // Idle connections are the watch's.
                idleTimeout: nil,
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: ListenerBounds.headBytes, maxHeaderListSize: ListenerBounds.headBytes,
                    maxHeaderFieldCount: ListenerBounds.fields)))
        self.connections = connections
        self.timeout = TimeAmount(timeout)
        self.largestBody = largestBody
        self.refuse = refuse
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        guard connections.enter() else {
            connections.tell(logger)
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(TooManyConnections())
        }
        channel.closeFuture.whenComplete { [connections] _ in connections.leave() }
        let made = http.setup(channel: channel, logger: logger)
        do {
            try protect(channel)
        } catch {
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(error)
        }
        return made
    }

    /// Puts the handlers around the decoder. Nothing has been read yet: the channel is not registered.
    private func protect(_ channel: any Channel) throws {
        try channel.syncOptions?.setOption(
            .recvAllocator,
            value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2048, maximum: ListenerBounds.readBytes))
        let pipeline = channel.pipeline.syncOperations
        let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
        let watch = ConnectionWatch(timeout: timeout)
        try pipeline.addHandler(watch, position: .first)
        try pipeline.addHandler(
            RequestGuard(watch: watch, largestBody: largestBody, refuse: refuse), position: .after(decoder))
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await http.handle(value: value, logger: logger)
    }
}

private struct TooManyConnections: Error {}
