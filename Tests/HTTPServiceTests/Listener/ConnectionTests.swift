import Formats
import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import HTTPService

/// The two handlers of a connection around a real decoder and encoder, on a loop whose time the test moves.
@Suite struct ConnectionTests {
    private static let head = "GET /healthz HTTP/1.1\r\nHost: a\r\n"

    private final class Peer {
        let channel: EmbeddedChannel
        private let watch = ConnectionWatch(timeout: .seconds(8))

        init() throws {
            channel = EmbeddedChannel()
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(watch)
            try pipeline.addHandler(HTTPResponseEncoder())
            try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
            try pipeline.addHandler(
                RequestGuard(watch: watch, largestBody: { $0 == "/files" ? 1 << 21 : 64 * 1024 }) {
                    fault, path in
                    Refusal(
                        status: .badRequest, headers: ["Content-Length": "0"], body: ByteBuffer(string: fault.detail))
                })
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        func send(_ text: String) throws {
            // What follows a fault is not read, and says so.
            try channel.writeInbound(ByteBuffer(string: text))
        }

        func wait(_ seconds: Int64) {
            channel.embeddedEventLoop.advanceTime(by: .seconds(seconds))
        }

        /// The parts of requests that have reached the responder.
        func requests() throws -> [HTTPServerRequestPart] {
            var parts: [HTTPServerRequestPart] = []
            while let part = try channel.readInbound(as: HTTPServerRequestPart.self) { parts.append(part) }
            return parts
        }

        func answer(_ status: HTTPResponseStatus = .ok, _ headers: HTTPHeaders = [:]) throws {
            let headers = HTTPHeaders([("Content-Length", "0")] + headers.map { ($0.name, $0.value) })
            channel.write(
                HTTPServerResponsePart.head(.init(version: .http1_1, status: status, headers: headers)), promise: nil)
            channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
        }

        func received() throws -> String {
            var text = ""
            while let part = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: part) }
            return text
        }
    }

    @Test func `who says nothing is let go after the timeout`() throws {
        let peer = try Peer()
        peer.wait(7)
        #expect(peer.channel.isActive)
        peer.wait(1)
        #expect(!peer.channel.isActive)
    }

    @Test func `a request has the timeout in all, however steadily it comes`() throws {
        let peer = try Peer()
        peer.wait(5)
        for letter in "GET /he" {
            try peer.send(String(letter))
            peer.wait(1)
        }
        #expect(peer.channel.isActive)
        peer.wait(1)
        #expect(!peer.channel.isActive)
    }

    /// 32 KiB are a second's at the least pace.
    @Test func `a large body has more time the more of it is there`() throws {
        let peer = try Peer()
        try peer.send("POST /files HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n")
        try peer.send(String(repeating: "a", count: 4 * 32 * 1024))
        peer.wait(11)
        #expect(peer.channel.isActive)
        try peer.send(String(repeating: "a", count: 1 << 20))
        peer.wait(32)
        #expect(peer.channel.isActive, "it is larger than a request may be elsewhere")
        peer.wait(3)
        #expect(!peer.channel.isActive)
    }

    @Test func `a body elsewhere has the timeout alone, also after a large one`() throws {
        let peer = try Peer()
        let head = { (target: String, length: Int) in
            "POST \(target) HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n"
        }
        try peer.send(head("/files", 70_000) + String(repeating: "a", count: 70_000))
        try peer.answer()
        try peer.send(head("/", 65_536) + String(repeating: "a", count: 65_000))
        peer.wait(8)
        #expect(!peer.channel.isActive)
    }

    @Test func `a large body behind another request is taken whole`() throws {
        let peer = try Peer()
        try peer.send(Self.head + "\r\n" + "POST /files HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n")
        try peer.answer()
        for _ in 0..<20 { try peer.send(String(repeating: "a", count: 100_000)) }
        let parts = try peer.requests()
        let count = parts.reduce(0) { if case .body(let bytes) = $1 { $0 + bytes.readableBytes } else { $0 } }
        #expect(count == 2_000_000)
        #expect(peer.channel.isActive)
    }

    @Test func `a body beyond its address's bound is not read on`() throws {
        let peer = try Peer()
        try peer.send("POST /files HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<23 { try peer.send("186A0\r\n" + String(repeating: "a", count: 100_000) + "\r\n") }
        let count = try peer.requests().reduce(0) {
            if case .body(let bytes) = $1 { $0 + bytes.readableBytes } else { $0 }
        }
        #expect(count == 2_100_000, "the piece that crosses the bound is passed on, so that its reader sees it")
    }

    @Test func `between requests a connection may wait longer`() throws {
        let peer = try Peer()
        try peer.send(Self.head + "\r\n")
        peer.wait(60)
        #expect(peer.channel.isActive, "the answer is ours to make")
        try peer.answer()
        peer.wait(74)
        #expect(peer.channel.isActive)
        try peer.send("GET")
        peer.wait(8)
        #expect(!peer.channel.isActive)
    }

    @Test func `an idle connection ends`() throws {
        let peer = try Peer()
        try peer.send(Self.head + "\r\n")
        try peer.answer()
        peer.wait(76)
        #expect(!peer.channel.isActive)
    }

    @Test func `a request behind one that is worked on is not late`() throws {
        let peer = try Peer()
        try peer.send(Self.head + "\r\n")
        try peer.send("GET")
        peer.wait(30)
        #expect(peer.channel.isActive)
        try peer.answer()
        peer.wait(7)
        #expect(peer.channel.isActive)
        peer.wait(1)
        #expect(!peer.channel.isActive)
    }

    @Test func `requests that come together are owed an answer each`() throws {
        let peer = try Peer()
        try peer.send(String(repeating: Self.head + "\r\n", count: 3))
        for _ in 0..<2 { try peer.answer() }
        peer.wait(200)
        #expect(peer.channel.isActive, "one is still worked on")
        try peer.answer()
        peer.wait(76)
        #expect(!peer.channel.isActive)
    }

    // MARK: other protocols

    /// RFC 9110 § 7.8: a server may ignore the field, but the decoder reads nothing that follows.
    @Test(arguments: [
        "Connection: Upgrade\r\nUpgrade: websocket", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c",
        "Proxy-Connection: upgrade\r\nUPGRADE: x", "Upgrade: \u{E9}\r\nConnection: upgrade",
        "Connection: keep-alive, upgrade\r\nUpgrade:",
    ])
    func `a request for another protocol is answered, and the connection ends`(_ fields: String) throws {
        for (method, body) in [("GET", ""), ("POST", "Content-Length: 3\r\n")] {
            let peer = try Peer()
            try peer.send("\(method) / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\(body)\r\n\(body.isEmpty ? "" : "abc")")
            #expect(try peer.requests().count == (body.isEmpty ? 2 : 3))
            try peer.answer()
            #expect(try peer.received().lowercased().contains("connection: close"))
            try peer.send(Self.head + "\r\n")
            #expect(try peer.requests().isEmpty)
            peer.wait(2)
            #expect(!peer.channel.isActive)
        }
    }

    @Test(arguments: ["/healthz", "*", "a.example", "a.example:443", "http://a.example/"])
    func `no tunnel is begun`(_ target: String) throws {
        let peer = try Peer()
        try peer.send("CONNECT \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try peer.requests().isEmpty)
        #expect(try peer.received().hasPrefix("HTTP/1.1 400"))
        peer.wait(2)
        #expect(!peer.channel.isActive)
    }

    // MARK: bodies that are held back

    private static let expecting = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n"

    /// RFC 9110 § 10.1.1.
    @Test(arguments: ["Content-Length: 2", "Content-Length: 65536", "Transfer-Encoding: chunked"])
    func `a body that is held back is asked for`(_ framing: String) throws {
        let peer = try Peer()
        try peer.send(Self.expecting + framing + "\r\n\r\n")
        #expect(try peer.received() == "HTTP/1.1 100 Continue\r\n\r\n")
        try peer.answer()
        #expect(try peer.received().hasPrefix("HTTP/1.1 200"))
    }

    @Test(arguments: [
        expecting + "\r\n", expecting + "Content-Length: 0\r\n\r\n", expecting + "Content-Length: 65537\r\n\r\n",
        expecting + "Content-Length: 9223372036854775808\r\n\r\n",
        "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 2\r\n\r\n",
    ])
    func `no body is asked for where there is none, it is too large, or nobody waits`(_ request: String) throws {
        let peer = try Peer()
        try peer.send(request)
        #expect(try peer.received() == "")
    }

    @Test func `a body is asked for behind the answers that are owed, unless it has come by then`() throws {
        let waiting = try Peer()
        try waiting.send(Self.head + "\r\n" + Self.expecting + "Content-Length: 2\r\n\r\n")
        #expect(try waiting.received() == "")
        try waiting.answer()
        let text = try waiting.received()
        #expect(text.hasPrefix("HTTP/1.1 200") && text.hasSuffix("HTTP/1.1 100 Continue\r\n\r\n"))
        let hasty = try Peer()
        try hasty.send(Self.head + "\r\n" + Self.expecting + "Content-Length: 2\r\n\r\n{}")
        for _ in 0..<2 { try hasty.answer() }
        #expect(try !hasty.received().contains("100 Continue"))
    }

    // MARK: faults

    @Test func `nothing behind a fault is passed on`() throws {
        let peer = try Peer()
        try peer.send("GET / HTTP/1.1\r\n\r\n" + Self.head + "\r\n")
        #expect(try peer.requests().isEmpty)
        #expect(try peer.received().hasPrefix("HTTP/1.1 400"))
        peer.wait(2)
        #expect(!peer.channel.isActive)
    }

    @Test func `a fault is told behind the answers that are owed`() throws {
        let peer = try Peer()
        try peer.send(Self.head + "\r\n" + "GET / HTTP/1.1\r\n\r\n")
        #expect(try peer.received() == "")
        try peer.answer()
        let text = try peer.received()
        #expect(text.contains("200 OK"))
        #expect(text.contains("400 Bad Request"))
    }

    @Test func `an answer that closes ends what is read`() throws {
        let peer = try Peer()
        try peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        try peer.answer(.payloadTooLarge, ["Connection": "close"])
        _ = try peer.requests()
        try peer.send(String(repeating: "a", count: 1000))
        #expect(try peer.requests().isEmpty)
        peer.wait(2)
        #expect(!peer.channel.isActive)
    }

    @Test func `a body beyond the most is not passed on`() throws {
        let peer = try Peer()
        try peer.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        let chunk = "4000\r\n" + String(repeating: "a", count: 0x4000) + "\r\n"
        for _ in 0..<20 { try peer.send(chunk) }
        let bytes = try peer.requests().reduce(0) { sum, part in
            if case .body(let buffer) = part { sum + buffer.readableBytes } else { sum }
        }
        #expect(bytes > 65536 && bytes <= 65536 + 0x4000)
        try peer.answer()
        #expect(try peer.received().lowercased().contains("connection: close"))
    }

    @Test func `an answer to a body beyond the most comes, however much follows before it is made`() throws {
        let peer = try Peer()
        try peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 314572800\r\n\r\n")
        let part = String(repeating: "a", count: 0x4000)
        for _ in 0..<200 { try peer.send(part) }
        peer.wait(30)
        #expect(peer.channel.isActive, "the answer is ours to make")
        try peer.answer(.payloadTooLarge, ["Connection": "close"])
        #expect(try peer.received().hasPrefix("HTTP/1.1 413"))
        peer.wait(2)
        #expect(!peer.channel.isActive)
    }

    /// Extensions of chunks are no body, and no field.
    @Test func `a request of endless overhead ends`() throws {
        let peer = try Peer()
        try peer.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        let chunk = "1;" + String(repeating: "x", count: 8000) + "\r\na\r\n"
        for _ in 0..<200 where peer.channel.isActive { try? peer.send(chunk) }
        #expect(!peer.channel.isActive)
    }

    @Test func `no more than so many requests wait for their answers`() throws {
        let peer = try Peer()
        try peer.send(String(repeating: Self.head + "\r\n", count: 100))
        let heads = try peer.requests().count { if case .head = $0 { true } else { false } }
        #expect(heads == 4)
        for _ in 0..<4 { try peer.answer() }
        let text = try peer.received()
        #expect(text.split(separator: "200 OK").count == 5)
        #expect(text.lowercased().split(separator: "connection: close").count == 2)
        peer.wait(2)
        #expect(!peer.channel.isActive)
    }

    @Test func `what answers no request is not sent`() throws {
        let peer = try Peer()
        try peer.answer()
        #expect(try peer.received() == "")
    }

    @Test func `who came first is let in, and leaves a place`() {
        let connections = Connections(most: 2)
        #expect(connections.enter() && connections.enter())
        #expect(!connections.enter() && !connections.enter())
        connections.leave()
        #expect(connections.enter())
        #expect(connections.count == 2 && connections.refusedCount == 2)
    }
}
