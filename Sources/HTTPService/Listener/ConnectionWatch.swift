import Formats
import Hummingbird
import NIOCore

/// The bytes and times of one connection: how long a request takes to arrive, how long an answer takes to be taken, and
/// how long nothing happens. Stands before the decoder, so that half a head counts.
///
/// One timer a connection, which looks every quarter of the timeout: nothing is scheduled or cancelled by a request.
final class ConnectionWatch: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private enum Input {
        /// For the first byte of a request, until then.
        case waiting(NIODeadline)
        /// For the rest of a request, until then.
        case arriving(NIODeadline)
        /// Requests are whole, and not all of them answered: the peer owes nothing.
        case whole
        /// For an answer of ours that ends the connection: what still comes does not matter, and is not read.
        case refused
        /// For the peer's end of the connection. What still comes is thrown away.
        case lingering
    }

    /// The time that a peer may take to hear that it is over. Closed at once, the kernel would answer what is still
    /// coming by a reset, and the peer might lose the answer over it (RFC 9112 § 9.6).
    private static let linger = TimeAmount.seconds(2)

    private let timeout: TimeAmount
    private var input: Input
    /// Of the request that arrives, or, once lingering, of what was thrown away.
    private var arrivedBytes = 0
    /// The bytes that the request may have as it is sent.
    private var mostBytes = ListenerBounds.requestBytes
    /// Requests that have arrived wholly and are not answered.
    private var unanswered = 0
    private var isPeerDone = false
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?

    /// All bytes ever written to the channel; it knows how many of them the kernel has not yet taken.
    private var writtenBytes = 0
    /// The bytes written at some moment, and the time until which they must have been taken.
    private var pending: (bytes: Int, until: NIODeadline)?

    init(timeout: TimeAmount) {
        self.timeout = timeout
        // Until the connection is made.
        input = .waiting(.distantFuture)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        context.fireChannelInactive()
    }

    /// Starts the timer: a peer that connects must send a request in time.
    private func begin(_ context: ChannelHandlerContext) {
        input = .waiting(context.eventLoop.now + timeout)
        schedule(context, after: period)
    }

    // MARK: what arrives

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let count = unwrapInboundIn(data).readableBytes
        switch input {
        case .lingering:
            arrivedBytes += count
            return
        case .refused:
            return
        case .waiting, .whole:
            input = .arriving(context.eventLoop.now + timeout)
            arrivedBytes = count
        case .arriving:
            arrivedBytes += count
        }
        context.fireChannelRead(data)
        // What is neither head nor body also takes its place, such as the extensions of chunks.
        if case .arriving = input, arrivedBytes > mostBytes { context.close(promise: nil) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if case .lingering = input { drain(context) }
    }

    func read(context: ChannelHandlerContext) {
        switch input {
        case .lingering: drain(context)
        case .refused: break
        case .waiting, .arriving, .whole: context.read()
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            isPeerDone = true
            if case .lingering = input { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// The newest request's head is there.
    func requestBegan(largestBody: Int) {
        // In chunks of 8 bytes it is less than twice as long.
        mostBytes = ListenerBounds.requestBytes + (largestBody > Request.largestBody ? 2 * largestBody : 0)
    }

    /// The time that the bytes of a large body give it, besides the timeout.
    private var earned: TimeAmount {
        guard mostBytes > ListenerBounds.requestBytes else { return .zero }
        return .nanoseconds(Int64(arrivedBytes) * (1_000_000_000 / Int64(ListenerBounds.bodyPace)))
    }

    /// The newest request is whole.
    ///
    /// - Parameter isAnswered: some answers need no body.
    func requestArrived(isAnswered: Bool) {
        guard let context else { return }
        if case .lingering = input { return }
        arrivedBytes = 0
        mostBytes = ListenerBounds.requestBytes
        if !isAnswered {
            unanswered += 1
            input = .whole
        } else if unanswered == 0 {
            input = .waiting(context.eventLoop.now + ListenerBounds.idleTimeout)
        }
    }

    /// A request that had arrived wholly is answered.
    func requestAnswered() {
        guard let context else { return }
        unanswered -= 1
        guard unanswered == 0 else { return }
        switch input {
        case .whole: input = .waiting(context.eventLoop.now + ListenerBounds.idleTimeout)
        // It was not read on while the one before was worked on.
        case .arriving: input = .arriving(context.eventLoop.now + timeout)
        case .waiting, .refused, .lingering: break
        }
    }

    /// The newest request is the last, and the answer to it is on its way: reading on would only find it too large.
    func requestRefused() {
        if case .lingering = input { return }
        input = .refused
    }

    // MARK: what is sent

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        writtenBytes += unwrapOutboundIn(data).readableBytes
        context.write(data, promise: promise)
    }

    /// Closes once the peer has taken what was written; the timer closes where it does not.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        // With the peer's half closed, the other half is the whole.
        let isWhole = mode == .all || (mode == .output && isPeerDone)
        guard isWhole, context.channel.isActive, waitingBytes(context) > 0 else {
            context.close(mode: mode, promise: promise)
            return
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(ByteBuffer())), promise: written)
        written.futureResult.assumeIsolated().whenComplete { _ in context.close(mode: .all, promise: promise) }
    }

    private func waitingBytes(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    // MARK: the end

    /// Says no more, and closes as soon as the peer has heard it.
    func finish() {
        guard let context, context.channel.isActive else { return }
        if case .lingering = input { return }
        guard !isPeerDone else {
            context.close(promise: nil)
            return
        }
        input = .lingering
        arrivedBytes = 0
        context.close(mode: .output, promise: nil)
        timer?.cancel()
        schedule(context, after: min(Self.linger, timeout))
        drain(context)
    }

    /// Reads on, for nothing, so that a peer that sends before it reads comes to reading.
    private func drain(_ context: ChannelHandlerContext) {
        if arrivedBytes < ListenerBounds.requestBytes { context.read() }
    }

    // MARK: time

    private var period: TimeAmount { .nanoseconds(max(timeout.nanoseconds / 4, 1_000_000)) }

    private func schedule(_ context: ChannelHandlerContext, after delay: TimeAmount) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in self?.look() }
    }

    private func look() {
        timer = nil
        guard let context else { return }
        let now = context.eventLoop.now
        if isOverdue(now) || isStuck(context, now) {
            context.close(promise: nil)
        } else {
            schedule(context, after: min(period, remaining(now)))
        }
    }

    private func isOverdue(_ now: NIODeadline) -> Bool {
        switch input {
        case .waiting(let until): return now >= until
        case .arriving(let until):
            guard now >= until + earned else { return false }
            // While requests before it are worked on, it is the broker that does not read.
            guard unanswered > 0 else { return true }
            input = .arriving(now + timeout)
            return false
        case .whole, .refused: return false
        case .lingering: return true
        }
    }

    private func remaining(_ now: NIODeadline) -> TimeAmount {
        switch input {
        case .waiting(let until): until - now
        case .arriving(let until): until + earned - now
        case .whole, .refused, .lingering: period
        }
    }

    /// Tells whether something that was written long ago is not taken yet. What came after it does not prolong that.
    private func isStuck(_ context: ChannelHandlerContext, _ now: NIODeadline) -> Bool {
        let waiting = waitingBytes(context)
        if let pending, writtenBytes - waiting < pending.bytes { return now >= pending.until }
        pending = waiting > 0 ? (writtenBytes, now + timeout) : nil
        return false
    }
}
