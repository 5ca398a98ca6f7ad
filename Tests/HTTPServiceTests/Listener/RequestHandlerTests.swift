import Hummingbird
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Secrets
import TestSupport
import Testing

@testable import HTTPService

/// The end of a connection's pipeline alone, with a responder of the test's.
@Suite(.timeLimit(.minutes(5))) struct RequestHandlerTests {
    /// The parts of a connection that a test drives and looks at.
    private final class Peer: Sendable {
        let channel = NIOAsyncTestingChannel()
        let reads: ReadCounter
        let ended: EventLoopFuture<Void>

        init(largestBody: Int = Request.largestBody, respond: @escaping RequestHandler.Responder) async throws {
            let channel = channel
            (reads, ended) = try await channel.testingEventLoop.executeInContext {
                let reads = ReadCounter()
                let handler = RequestHandler(
                    on: channel, turn: LoopTurn(of: channel.eventLoop), largestBody: { _ in largestBody },
                    respond: respond)
                try channel.pipeline.syncOperations.addHandlers(reads, handler)
                return (reads, handler.ended.futureResult)
            }
            try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        }

        func send(_ part: HTTPServerRequestPart) async throws { try await channel.writeInbound(part) }

        func begin(_ method: HTTPMethod = .POST, _ path: String = "/") async throws {
            try await send(
                .head(HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: ["Host": "a"])))
        }

        func sendWhole(_ path: String) async throws {
            try await begin(.GET, path)
            try await send(.end(nil))
        }

        /// The heads and bodies of the next answer.
        func answer() async throws -> (head: HTTPResponseHead, body: String) {
            var answer: (HTTPResponseHead, String)?
            while true {
                switch try await channel.waitForOutboundWrite(as: HTTPServerResponsePart.self) {
                case .head(let head): answer = (head, "")
                case .body(.byteBuffer(let bytes)): answer?.1 += String(buffer: bytes)
                case .body: Issue.record("a file region")
                case .end: return try #require(answer)
                }
            }
        }

        func tell(_ event: some Sendable) { channel.pipeline.fireUserInboundEventTriggered(event) }
    }

    /// Counts the reads that get as far as the connection.
    private final class ReadCounter: ChannelOutboundHandler, Sendable {
        typealias OutboundIn = HTTPServerResponsePart

        private let counted = Locked(0)
        private let counts: AsyncStream<Int>
        private let tell: AsyncStream<Int>.Continuation
        var count: Int { counted.withLock { $0 } }

        init() { (counts, tell) = AsyncStream.makeStream() }

        func read(context: ChannelHandlerContext) {
            let count = counted.withLock { count in
                count += 1
                return count
            }
            tell.yield(count)
            context.read()
        }

        /// Returns once there were more than so many.
        func more(than count: Int) async {
            for await now in counts where now > count { return }
        }
    }

    private static func text(_ text: String) -> Response {
        Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    @Test func `requests that come at once are answered in their order, one after the other`() async throws {
        let gate = Gate()
        let running = Locked(0)
        let peer = try await Peer { request, _ in
            let count = running.withLock { running in
                running += 1
                return running
            }
            #expect(count == 1)
            if request.uri.path == "/1" { await gate.pass() }
            running.withLock { $0 -= 1 }
            return Self.text(request.uri.path)
        }
        for path in ["/1", "/2", "/3"] { try await peer.sendWhole(path) }
        gate.open()
        for path in ["/1", "/2", "/3"] { #expect(try await peer.answer().body == path) }
    }

    @Test func `an answer has its date`() async throws {
        let peer = try await Peer { _, _ in Self.text("") }
        try await peer.sendWhole("/")
        let date = try #require(try await peer.answer().head.headers.first(name: "date"))
        #expect(date.hasSuffix(" GMT") && date.count == 29)
    }

    @Test func `a body is whole, whatever the pieces in which it came`() async throws {
        let peer = try await Peer { request, _ in
            Self.text((try? await String(buffer: request.wholeBody())) ?? "broken")
        }
        try await peer.begin()
        for piece in ["one ", "two ", "three"] { try await peer.send(.body(ByteBuffer(string: piece))) }
        try await peer.send(.end(nil))
        #expect(try await peer.answer().body == "one two three")
    }

    @Test(arguments: [Request.largestBody, 1 << 20])
    func `whoever reads a body that does not arrive whole is told`(_ largest: Int) async throws {
        let peer = try await Peer(largestBody: largest) { request, _ in
            do {
                _ = try await request.wholeBody()
                return Self.text("whole")
            } catch {
                return Self.text((error as? Problem)?.code ?? "\(error)")
            }
        }
        try await peer.begin()
        try await peer.send(.body(ByteBuffer(string: "one")))
        peer.tell(ChannelEvent.inputClosed)
        #expect(try await peer.answer().body == Problem.bodyBroken.code)
        try await peer.ended.get()
    }

    @Test func `a body whose reader takes its time holds the connection back`() async throws {
        let gate = Gate()
        let peer = try await Peer(largestBody: 1 << 20) { request, _ in
            await gate.pass()
            var count = 0
            try? await request.readBody(atMost: 1 << 20) { count += $0.readableBytes }
            return Self.text("\(count)")
        }
        try await peer.begin()
        for _ in 0..<8 { try await peer.send(.body(ByteBuffer(string: "12345678"))) }
        let before = peer.reads.count
        peer.channel.read()
        await peer.channel.testingEventLoop.run()
        #expect(peer.reads.count == before)
        gate.open()
        await peer.reads.more(than: before)
        try await peer.send(.end(nil))
        #expect(try await peer.answer().body == "64")
    }

    @Test func `a body that nobody reads to its end holds up nothing`() async throws {
        let peer = try await Peer(largestBody: 1 << 20) { _, _ in Self.text("no") }
        try await peer.begin()
        #expect(try await peer.answer().body == "no")
        for _ in 0..<20 { try await peer.send(.body(ByteBuffer(string: "12345678"))) }
        let before = peer.reads.count
        peer.channel.read()
        await peer.reads.more(than: before)
        try await peer.send(.end(nil))
        try await peer.sendWhole("/")
        #expect(try await peer.answer().body == "no")
    }

    /// Else what is not taken would fill the memory.
    @Test func `a peer that does not take its answers gets no others made`() async throws {
        let answered = Locked<[String]>([])
        let peer = try await Peer { request, _ in
            answered.withLock { $0.append(request.uri.path) }
            return Self.text(request.uri.path)
        }
        try await peer.sendWhole("/1")
        #expect(try await peer.answer().body == "/1")
        peer.channel.isWritable = false
        for path in ["/2", "/3"] { try await peer.sendWhole(path) }
        await peer.channel.testingEventLoop.run()
        #expect(answered.withLock { $0 } == ["/1"])
        peer.channel.isWritable = true
        peer.channel.pipeline.fireChannelWritabilityChanged()
        for path in ["/2", "/3"] { #expect(try await peer.answer().body == path) }
    }

    @Test func `nothing more is read while a whole request waits`() async throws {
        let gate = Gate()
        let peer = try await Peer { request, _ in
            await gate.pass()
            return Self.text(request.uri.path)
        }
        for path in ["/1", "/2"] { try await peer.sendWhole(path) }
        let before = peer.reads.count
        peer.channel.read()
        await peer.channel.testingEventLoop.run()
        #expect(peer.reads.count == before)
        gate.open()
        await peer.reads.more(than: before)
        for path in ["/1", "/2"] { #expect(try await peer.answer().body == path) }
    }

    @Test func `a server that stops closes what is idle at once`() async throws {
        let peer = try await Peer { _, _ in Self.text("") }
        try await peer.sendWhole("/")
        _ = try await peer.answer()
        peer.tell(ChannelShouldQuiesceEvent())
        try await peer.ended.get()
    }

    @Test func `a server that stops answers what has come`() async throws {
        let gate = Gate()
        let peer = try await Peer { request, _ in
            await gate.pass()
            return Self.text(request.uri.path)
        }
        for path in ["/1", "/2"] { try await peer.sendWhole(path) }
        peer.tell(ChannelShouldQuiesceEvent())
        gate.open()
        for path in ["/1", "/2"] { #expect(try await peer.answer().body == path) }
        try await peer.ended.get()
    }

    @Test func `a connection has not ended while a request of it is worked on`() async throws {
        let gate = Gate()
        let isDone = Locked(false)
        let peer = try await Peer { _, _ in
            await gate.pass()
            isDone.withLock { $0 = true }
            return Self.text("")
        }
        try await peer.sendWhole("/")
        try await peer.channel.close()
        gate.open()
        try await peer.ended.get()
        #expect(isDone.withLock { $0 })
    }
}
