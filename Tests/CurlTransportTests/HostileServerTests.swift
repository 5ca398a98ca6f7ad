import CurlTransport
import Foundation
import Testing
import Transport

/// Servers that are broken, slow or malicious: every one ends in an error that says so, in bounded time and memory.
@Suite(.timeLimit(.minutes(5))) struct HostileServerTests {
    // MARK: Too slow

    @Test func `a server that never answers times out`() async throws {
        try await withServer {
            $0.hang()
        } body: { server in
            let transport = CurlTransport.forLoopback(timeout: .milliseconds(500))
            let outcome = await within(.seconds(30)) { await transport.outcome(server.url()) }
            #expect(outcome.error == .timedOut)
        }
    }

    @Test func `a server that drips times out, however often it drips`() async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while connection.write("x") { usleep(20_000) }
        } body: { server in
            let transport = CurlTransport.forLoopback(timeout: .milliseconds(500))
            let outcome = await within(.seconds(30)) { await transport.outcome(server.url()) }
            #expect(outcome.error == .timedOut)
        }
    }

    @Test func `a request may have less time than the transport gives`() async throws {
        try await withServer {
            $0.hang()
        } body: { server in
            let transport = CurlTransport.forLoopback(timeout: .seconds(600))
            var request = TransportRequest(method: .get, url: server.url())
            request.timeout = .milliseconds(300)
            let outcome = await within(.seconds(30)) { [request] () async -> TransportError? in
                do throws(TransportError) {
                    _ = try await transport.send(request)
                    return nil
                } catch {
                    return error
                }
            }
            #expect(outcome == .timedOut)
        }
    }

    /// A stream of events, of which nothing may ever come.
    @Test(arguments: ["", "\r\nx", "Content-Length: 100000\r\n", "Transfer-Encoding: chunked\r\n"])
    func `a head alone is there before any body, and ends the request`(_ more: String) async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 No\r\nWWW-Authenticate: Bearer\r\n\(more)\r\n")
            // Until the client closes.
            _ = connection.readRequest()
        } body: { server in
            let transport = CurlTransport.forLoopback(timeout: .seconds(600))
            var request = TransportRequest(method: .post, url: server.url(), body: [1])
            request.wantsHeadAlone = true
            let response = await within(.seconds(30)) { [request] in try? await transport.send(request) }
            #expect(response?.status == 401 && response?.body == [])
            #expect(response?.header("www-authenticate") == "Bearer")
        }
    }

    @Test func `a server that does not take the connection times out sooner`() async throws {
        let (listener, port) = try listenOnLoopback(.v4, backlog: 0)
        defer { close(listener) }
        // With nobody accepting, the queue of finished connections is soon full and further ones get no answer.
        let fillers = (0..<4).map { _ in
            socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        }
        defer { for filler in fillers { close(filler) } }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        withUnsafeBytes(of: &address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { address in
                for filler in fillers { _ = connect(filler, address.baseAddress, socklen_t(bytes.count)) }
            }
        }
        let transport = CurlTransport.forLoopback(connectTimeout: .milliseconds(300), timeout: .seconds(60))
        let outcome = await within(.seconds(30)) { await transport.outcome("http://127.0.0.1:\(port)/") }
        #expect(outcome.error == .timedOut)
    }

    // MARK: Too much

    @Test func `an endless body is cut off`() async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n\r\n")
            let chunk = [UInt8](repeating: 0, count: 65_536)
            while connection.write(chunk) {}
        } body: { server in
            #expect(await CurlTransport.forLoopback().outcome(server.url()).error == .responseTooLarge)
        }
    }

    @Test func `a body announced as too long is not read at all`() async throws {
        try await withServer { connection in
            connection.serve { _ in connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n") }
        } body: { server in
            #expect(await CurlTransport.forLoopback().outcome(server.url()).error == .responseTooLarge)
        }
    }

    @Test(arguments: [999, 1000, 1001])
    func `a body may be exactly as long as the cap`(_ count: Int) async throws {
        let body = [UInt8](repeating: 1, count: count)
        try await withServer { connection in
            _ = connection.readRequest()
            connection.write(Array("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".utf8) + body)
        } body: { server in
            let outcome = await CurlTransport.forLoopback(maxResponseBytes: 1000).outcome(server.url())
            if count > 1000 {
                #expect(outcome.error == .responseTooLarge)
            } else {
                #expect(outcome.response?.body == body)
            }
        }
    }

    @Test func `a small body that unpacks to 64 MiB is cut off`() async throws {
        let bomb = try await gzip(zeros: 64 << 20)
        try #require(bomb.count < 1 << 20)
        try await withServer { connection in
            connection.serve { _ in connection.respond("200 OK", ["Content-Encoding: gzip"], body: bomb) }
        } body: { server in
            #expect(await CurlTransport.forLoopback().outcome(server.url()).error == .responseTooLarge)
        }
    }

    @Test(arguments: ["X-Many: \(String(repeating: "a", count: 1000))\r\n", "endless"])
    func `endless headers are cut off`(_ line: String) async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nX-Endless: ")
            while connection.write(line) {}
        } body: { server in
            #expect(await CurlTransport.forLoopback().outcome(server.url()).error == .responseTooLarge)
        }
    }

    @Test func `endless interim responses are cut off`() async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            while connection.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n") {}
        } body: { server in
            #expect(await CurlTransport.forLoopback().outcome(server.url()).error == .responseTooLarge)
        }
    }

    // MARK: Broken

    @Test func `nobody listening is a refused connection`() async throws {
        let (listener, port) = try listenOnLoopback(.v4, backlog: 1)
        close(listener)
        #expect(await CurlTransport.forLoopback().outcome("http://127.0.0.1:\(port)/").error == .connectionRefused)
    }

    /// RFC 6761 § 6.4: `.invalid` never resolves.
    @Test func `a name that does not resolve is told as that`() async {
        let transport = CurlTransport.forLoopback(timeout: .seconds(5))
        let error = await transport.outcome("http://nowhere.invalid/").error
        // Without a resolver at hand the question may go unanswered.
        #expect(error == .nameNotResolved || error == .timedOut)
    }

    @Test func `a reset in the middle of the body is unreachable`() async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")
            connection.resetOnClose()
        } body: { server in
            #expect(await CurlTransport.forLoopback().outcome(server.url()).error == .unreachable)
        }
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",  // libcurl tells it as a failed read
    ])
    func `a body that breaks off is unreachable`(_ answer: String) async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.write(answer)
        } body: { server in
            #expect(await CurlTransport.forLoopback().outcome(server.url()).error == .unreachable)
        }
    }

    @Test(arguments: [
        "garbage\u{1}\u{2}\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "<html>HTTP/0.9</html>", "HTTP/1.1 banana\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    ])
    func `what is not HTTP 1 or 2 is malformed`(_ answer: String) async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.write(answer)
        } body: { server in
            #expect(await CurlTransport.forLoopback().outcome(server.url()).error == .malformedResponse)
        }
    }

    @Test func `a packed body that breaks off, or is packed too often, is malformed`() async throws {
        let packed = try await gzip(zeros: 100_000)
        try await withServer { connection in
            connection.serve { request in
                let codings = request.target == "/often" ? String(repeating: "gzip,", count: 6) : "gzip"
                connection.respond("200 OK", ["Content-Encoding: \(codings)"], body: Array(packed.dropLast(20)))
            }
        } body: { server in
            for path in ["/", "/often"] {
                #expect(await CurlTransport.forLoopback().outcome(server.url(path)).error == .malformedResponse)
            }
        }
    }

    // MARK: Many

    @Test func `fifty calls that hang do no harm to the others`() async throws {
        let hanging = Counter()
        try await withServer { connection in
            connection.serve { request in
                guard request.target == "/hang" else { return connection.respond("200 OK", [], "fine") }
                hanging.increment()
                connection.hang()
            }
        } body: { server in
            let transport = CurlTransport.forLoopback()
            let url = server.url("/hang")
            let stuck = Task {
                await withTaskGroup { group in
                    for _ in 0..<50 { group.addTask { await transport.outcome(url).error } }
                    return await group.reduce(into: []) { $0.append($1) }
                }
            }
            await hanging.reaches(50)
            await within(.seconds(30)) {
                for _ in 0..<200 { #expect(await transport.outcome(server.url()).response?.text == "fine") }
            }
            stuck.cancel()
            #expect(await stuck.value == Array(repeating: .cancelled, count: 50))
        }
    }
}
