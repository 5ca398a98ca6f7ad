import Formats
import Glibc
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1

/// The end of a connection's pipeline: makes requests of what the decoder read, has them answered one after the other,
/// and writes the answers.
///
/// Not Hummingbird's channel, which brings each part of each message through an asynchronous sequence, reads the target
/// with Foundation's `URLComponents`, and makes a logger and a task-local value for each request: a twelfth of what a
/// whole flow costs.
final class RequestHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = HTTPServerResponsePart

    /// Answers a request that came from an address, where the connection has one.
    typealias Responder = @Sendable (Request, IPAddress?) async -> Response

    /// The request that is being read.
    private enum Arrival {
        /// Nothing that comes belongs to a request that is answered by what it says.
        case none
        /// It is answered when it is whole.
        case gathering(HTTPRequest, ByteBuffer)
        /// It is with its responder, which reads its body as it comes.
        case streaming(BodyStream)
    }

    private let channel: any Channel
    private let turn: LoopTurn
    private let largestBody: RequestGuard.LargestBody
    private let respond: Responder
    /// The address of the other end, read once; `nil` where the connection has none.
    private lazy var peer = channel.remoteAddress.flatMap { IPAddress($0) }
    /// Fulfilled when the connection is closed and no request of it is worked on.
    let ended: EventLoopPromise<Void>

    private var context: ChannelHandlerContext?
    private var arrival = Arrival.none
    /// Those that arrived while one before them was worked on, or while the peer did not take its answers. Nothing more is
    /// read meanwhile, and the guard bounds how many one read may bring.
    private var waiting: [Request] = []
    private var isAnswering = false
    /// Nothing more is to come, of the peer's will or of ours: close behind the answers that are owed.
    private var isEnding = false
    private var hasEnded = false
    /// The value of `Date`, and the second that it tells.
    private var date = (second: Int64.min, text: "")

    init(
        on channel: any Channel, turn: LoopTurn, largestBody: @escaping RequestGuard.LargestBody,
        respond: @escaping Responder
    ) {
        self.channel = channel
        self.turn = turn
        self.largestBody = largestBody
        self.respond = respond
        ended = channel.eventLoop.makePromise()
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    /// The channel is closed, or was never opened.
    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        breakArrival()
        next()
        end()
    }

    // MARK: requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head)
        case .body(let bytes): add(bytes)
        case .end: finishArrival()
        }
    }

    private func begin(_ head: HTTPRequestHead) {
        guard let request = HTTPRequest(decoded: head) else {
            // The decoder knows no such method.
            context?.close(promise: nil)
            return
        }
        let most = largestBody(head.uri)
        let announced = head.headers.first(name: "content-length").flatMap { UInt64($0) } ?? 0
        if announced > UInt64(most) {
            // Refused by what it announces.
            arrival = .none
            enqueue(Request(head: request, body: RequestBody(buffer: ByteBuffer())))
        } else if most > Request.largestBody {
            let (stream, body) = BodyStream.make(of: channel)
            arrival = .streaming(stream)
            enqueue(Request(head: request, body: body))
        } else {
            arrival = .gathering(request, ByteBuffer())
        }
    }

    private func add(_ bytes: ByteBuffer) {
        switch arrival {
        case .none: break
        case .streaming(let stream): stream.yield(bytes)
        case .gathering(let request, var body):
            arrival = .none
            if body.readableBytes == 0 { body = bytes } else { body.writeImmutableBuffer(bytes) }
            if body.readableBytes > Request.largestBody {
                // The guard reads no further. That it is too large is seen by whoever reads it.
                enqueue(Request(head: request, body: RequestBody(buffer: body)))
            } else {
                arrival = .gathering(request, body)
            }
        }
    }

    private func finishArrival() {
        switch arrival {
        case .none: break
        case .streaming(let stream): stream.finish()
        case .gathering(let request, let body): enqueue(Request(head: request, body: RequestBody(buffer: body)))
        }
        arrival = .none
    }

    /// The rest of the request's body does not come.
    private func breakArrival() {
        switch arrival {
        case .none: break
        case .streaming(let stream): stream.finish(BrokenBody())
        case .gathering(let request, _): enqueue(Request(head: request, body: RequestBody(asyncSequence: BrokenBody())))
        }
        arrival = .none
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Of the connection itself, the channel closes.
        if error is HTTPParserError { breakArrival() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: endWhenAnswered()
        case ChannelEvent.inputClosed as ChannelEvent:
            breakArrival()
            endWhenAnswered()
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// A request that waits holds back what comes, and so does a body whose reader has not taken what came.
    func read(context: ChannelHandlerContext) {
        guard waiting.isEmpty else { return }
        if case .streaming(let stream) = arrival, stream.holdsBack { return }
        context.read()
    }

    // MARK: answers

    private func enqueue(_ request: Request) {
        waiting.append(request)
        next()
    }

    /// The peer has taken what it was sent, or takes no more.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        next()
        context.fireChannelWritabilityChanged()
    }

    /// Has the next request answered, unless the peer leaves the answers before it untaken: they would fill the memory.
    private func next() {
        guard !isAnswering, !waiting.isEmpty, context?.channel.isWritable != false else { return }
        let request = waiting.removeFirst()
        answer(request)
        if waiting.isEmpty { context?.read() }
    }

    private func answer(_ request: Request) {
        isAnswering = true
        // The handler is touched on its loop alone, by which the task runs too until it waits for something elsewhere.
        let handler = NIOLoopBound(self, eventLoop: channel.eventLoop)
        Task(executorPreference: turn) { [respond, channel, peer] in
            let response = await respond(request, peer)
            let body = await response.body.whole()
            if channel.eventLoop.inEventLoop {
                handler.value.send(response.head, body)
            } else {
                channel.eventLoop.execute { handler.value.send(response.head, body) }
            }
        }
    }

    private func send(_ response: HTTPResponse, _ body: ByteBuffer) {
        isAnswering = false
        if let context {
            var head = HTTPResponseHead(
                version: .http1_1, status: HTTPResponseStatus(statusCode: response.status.code))
            head.headers.reserveCapacity(response.headerFields.count + 2)
            for field in response.headerFields { head.headers.add(name: field.name.rawName, value: field.value) }
            head.headers.add(name: "Date", value: dateNow())
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if body.readableBytes > 0 { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
            context.write(wrapOutboundOut(.end(nil)), promise: nil)
            turn.send(self)
        }
        next()
        end()
    }

    /// Sends what was written.
    func flush() {
        context?.flush()
        if isEnding { endWhenAnswered() }
    }

    private func endWhenAnswered() {
        isEnding = true
        let isArriving = if case .none = arrival { false } else { true }
        guard !isAnswering, waiting.isEmpty, !isArriving else { return }
        context?.flush()
        context?.close(promise: nil)
    }

    private func end() {
        guard context == nil, !isAnswering, !hasEnded else { return }
        hasEnded = true
        ended.succeed()
    }

    /// RFC 9110 § 6.6.1.
    private func dateNow() -> String {
        let second = Int64(time(nil))
        if second != date.second { date = (second, HTTPDate.text(Timestamp(milliseconds: second * 1000))) }
        return date.text
    }
}

extension HTTPRequest {
    /// A request that the guard let pass, whose target is in origin form. `nil` for a method that is no token.
    fileprivate init?(decoded head: HTTPRequestHead) {
        guard let method = Method(head.method.rawValue) else { return nil }
        var fields = HTTPFields()
        fields.reserveCapacity(head.headers.count)
        var authority: String?
        for (name, value) in head.headers {
            guard let name = HTTPField.Name(name) else { continue }
            // The guard refuses a second one.
            if name.canonicalName == "host" {
                authority = value
            } else {
                fields.append(HTTPField(name: name, value: value))
            }
        }
        self.init(method: method, scheme: "http", authority: authority, path: head.uri, headerFields: fields)
    }
}
