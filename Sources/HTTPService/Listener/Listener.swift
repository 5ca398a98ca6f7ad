import HTTPTypes
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

/// HTTP/1.1 for untrusted peers, below Hummingbird's server: each connection has a `ConnectionWatch` for its bytes and
/// times, behind NIO's decoder a `RequestGuard` for its messages, and at the end a `RequestHandler` that has them
/// answered.
struct Listener: ServerChildChannel {
    private let respond: RequestHandler.Responder
    private let connections: Connections
    private let timeout: TimeAmount
    private let largestBody: RequestGuard.LargestBody
    private let refuse: Refusal.Maker
    private let turns = LoopTurns()

    init(
        respond: @escaping RequestHandler.Responder, connections: Connections, timeout: Duration,
        largestBody: @escaping RequestGuard.LargestBody, refuse: @escaping Refusal.Maker
    ) {
        self.respond = respond
        self.connections = connections
        self.timeout = TimeAmount(timeout)
        self.largestBody = largestBody
        self.refuse = refuse
    }

    /// A connection, and the moment in which it is closed and none of its requests is worked on.
    struct Connection: ServerChildChannelValue {
        let channel: any Channel
        let ended: EventLoopFuture<Void>
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connection> {
        guard connections.enter() else {
            connections.tell(logger)
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(TooManyConnections())
        }
        channel.closeFuture.whenComplete { [connections] _ in connections.leave() }
        return channel.eventLoop.makeCompletedFuture {
            do {
                return try Connection(channel: channel, ended: addHandlers(to: channel))
            } catch {
                channel.close(promise: nil)
                throw error
            }
        }
    }

    /// Nothing has been read yet: the channel is not registered.
    private func addHandlers(to channel: any Channel) throws -> EventLoopFuture<Void> {
        try channel.syncOptions?.setOption(
            .recvAllocator,
            value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2048, maximum: ListenerBounds.readBytes))
        let watch = ConnectionWatch(timeout: timeout)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(watch)
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = ListenerBounds.headBytes
        limits.maxHeaderListSize = ListenerBounds.headBytes
        limits.maxHeaderFieldCount = ListenerBounds.fields
        try pipeline.configureHTTPServerPipeline(
            // Requests are answered in their order by the handler, and faults by the guard. A header of ours is checked
            // where it is made.
            withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
            withEncoderConfiguration: HTTPResponseEncoder.Configuration(), withDecoderLimitConfiguration: limits)
        try pipeline.addHandler(RequestGuard(watch: watch, largestBody: largestBody, refuse: refuse))
        let handler = RequestHandler(
            on: channel, turn: turns[channel.eventLoop], largestBody: largestBody, respond: respond)
        do {
            try pipeline.addHandler(handler)
        } catch {
            handler.ended.fail(error)
        }
        return handler.ended.futureResult
    }

    /// Returns when the connection is closed and nothing of it is worked on.
    func handle(value: Connection, logger: Logger) async {
        await withTaskCancellationHandler {
            try? await value.ended.get()
        } onCancel: {
            value.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
    }
}

private struct TooManyConnections: Error {}
