import Formats
import Hummingbird
import NIOCore
import NIOHTTP1

/// Guards the messages of one connection: what RFC 9112 § 3 and § 6 forbid is refused before anything acts on it, no
/// more is taken than a request may have, and a peer that was told that the connection ends gets no further.
final class RequestGuard: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Input {
        case head
        case body
        /// Nothing that comes counts any more.
        case ignored
    }

    /// Pipelined requests at once. They are worked on ahead of what their peer takes, so each may hold an answer in
    /// memory; browsers and proxies send one after the other.
    private static let mostUnanswered = 4

    /// The most bytes of the body of a request with this target.
    typealias LargestBody = @Sendable (_ target: String) -> Int

    private let watch: ConnectionWatch
    private let largestBodyOf: LargestBody
    private let refuse: Refusal.Maker
    private var input = Input.head
    private var bodyBytes = 0
    private var largestBody = Request.largestBody
    /// Requests that were passed on and are not answered.
    private var unanswered = 0
    /// Tells whether the newest of them ends the connection.
    private var isLast = false
    /// Tells whether its peer holds the body back until it is asked for.
    private var isBodyHeld = false
    /// Tells whether the answer that is being written ends it.
    private var isClosing = false
    /// Sent behind the answers that are owed.
    private var refusal: Refusal?

    init(
        watch: ConnectionWatch, largestBody: @escaping LargestBody = { _ in Request.largestBody },
        refuse: @escaping Refusal.Maker
    ) {
        self.watch = watch
        largestBodyOf = largestBody
        self.refuse = refuse
    }

    // MARK: requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), input) {
        case (_, .ignored): break
        case (.head(let head), _): begin(head, context)
        case (.body(let bytes), _):
            isBodyHeld = false
            bodyBytes += bytes.readableBytes
            // Passed on, so that the body's reader sees that it is too large.
            context.fireChannelRead(data)
            if bodyBytes > largestBody { stop() }
        case (.end, _):
            let isAnswered = unanswered == 0
            input = isLast ? .ignored : .head
            context.fireChannelRead(data)
            watch.requestArrived(isAnswered: isAnswered)
        }
    }

    private func begin(_ received: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var head = received.inASCII
        if let fault = RequestFault(in: &head) {
            refuse(fault, path: head.uri, context)
            return
        }
        guard unanswered < Self.mostUnanswered else {
            stop()
            return
        }
        input = .body
        bodyBytes = 0
        unanswered += 1
        isLast = !head.isKeepAlive || received.endsDecoding
        largestBody = largestBodyOf(head.uri)
        watch.requestBegan(largestBody: largestBody)
        isBodyHeld = head.holdsBody(atMost: largestBody)
        askForBody(context)
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    /// Has the peer send the body that it holds back, once no other request's answer comes before this one's.
    private func askForBody(_ context: ChannelHandlerContext) {
        guard isBodyHeld, unanswered == 1, input == .body else { return }
        isBodyHeld = false
        context.writeAndFlush(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else {
            context.fireErrorCaught(error)
            return
        }
        switch input {
        case .ignored: break
        case .head: refuse(RequestFault(error), path: "/", context)
        case .body:
            // The body's reader is told; the decoder is of no more use.
            stop()
            context.fireErrorCaught(error)
        }
    }

    /// The newest request is the last, and what is left of it does not matter.
    private func stop() {
        input = .ignored
        isLast = true
        if unanswered == 0 { watch.finish() } else { watch.requestRefused() }
    }

    // MARK: answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // No request waits for it: it was made of an error behind an answer.
        guard unanswered > 0 else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(let head) where head.status.code >= 200:
            context.write(wrapOutboundOut(.head(marked(head))), promise: promise)
        case .end:
            end(data, promise: promise, context: context)
        case .head, .body:
            context.write(data, promise: promise)
        }
    }

    /// Says `Connection: close` where it is so (RFC 9112 § 9.6). Only errors ask for it themselves.
    private func marked(_ head: HTTPResponseHead) -> HTTPResponseHead {
        isClosing = unanswered == 1 && isLast && refusal == nil
        let isSaid = head.status.code >= 400 && head.headers.contains(name: "connection")
        guard isClosing, !isSaid else {
            isClosing = isClosing || isSaid
            return head
        }
        var head = head
        head.headers.replaceOrAdd(name: "Connection", value: "close")
        return head
    }

    private func end(_ data: NIOAny, promise: EventLoopPromise<Void>?, context: ChannelHandlerContext) {
        // Else it is answered before it is there, and counts as whole when it is.
        let wasWhole = input != .body || unanswered > 1
        unanswered -= 1
        // The body broke, or was too long, behind the answer's head.
        guard !isClosing, unanswered > 0 || !isLast || refusal != nil else {
            unanswered = 0
            input = .ignored
            finish(after: data, promise: promise, context: context)
            return
        }
        context.write(data, promise: promise)
        if wasWhole { watch.requestAnswered() }
        askForBody(context)
        if unanswered == 0, let refusal { send(refusal, context) }
    }

    private func finish(
        after data: NIOAny, promise: EventLoopPromise<Void>?, context: ChannelHandlerContext
    ) {
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        written.futureResult.hop(to: context.eventLoop).assumeIsolated().whenComplete { [watch] _ in watch.finish() }
        context.write(data, promise: written)
    }

    // MARK: refusals

    private func refuse(_ fault: RequestFault, path: String, _ context: ChannelHandlerContext) {
        input = .ignored
        // The peer is gone: there is nothing to answer or to count.
        guard context.channel.isActive else { return }
        let refusal = refuse(fault, path)
        if unanswered == 0 { send(refusal, context) } else { self.refusal = refusal }
    }

    private func send(_ refusal: Refusal, _ context: ChannelHandlerContext) {
        self.refusal = nil
        let head = HTTPResponseHead(version: .http1_1, status: refusal.status, headers: refusal.headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(refusal.body))), promise: nil)
        finish(after: wrapOutboundOut(.end(nil)), promise: nil, context: context)
        context.flush()
    }
}

extension HTTPRequestHead {
    /// The decoder reads nothing that follows a request for another protocol, though a server may ignore that one
    /// (RFC 9110 § 7.8). It also wants `Connection: upgrade`, which it reads in its own way: the field alone counts here.
    fileprivate var endsDecoding: Bool { headers.contains(name: "upgrade") }

    /// The peer waits for an interim answer before it sends its body (RFC 9110 § 10.1.1). A body that will be too large
    /// is not asked for: it is refused at once.
    fileprivate func holdsBody(atMost largest: Int) -> Bool {
        guard headers.contains(name: "expect"), version.minor >= 1,
            headers["expect"].contains(where: { HeaderValue.lowercased($0.utf8[...]).isExactly("100-continue") })
        else { return false }
        if headers.contains(name: "transfer-encoding") { return true }
        return headers.first(name: "content-length").flatMap { UInt64($0) }
            .map { (1...UInt64(largest)).contains($0) } ?? false
    }
}

/// The answer to a request that no route sees.
struct Refusal: Sendable {
    typealias Maker = @Sendable (RequestFault, _ path: String) -> Refusal

    let status: HTTPResponseStatus
    let headers: HTTPHeaders
    let body: ByteBuffer
}
