import CurlTransport
import Testing
import Transport

/// Requests and answers when nothing is wrong.
@Suite(.timeLimit(.minutes(5))) struct ExchangeTests {
    /// Answers with the request as it was received.
    private static let echo: @Sendable (Connection) -> Void = { connection in
        connection.serve { request in
            let headers = request.headers.map { "\($0.name)=\($0.value)" }.joined(separator: "\n")
            let text = "\(request.method) \(request.target)\n\(headers)\n\n"
            connection.respond("200 OK", ["X-Echo: yes"], body: Array(text.utf8) + request.body)
        }
    }

    @Test func `a GET carries its headers and returns status, headers and body`() async throws {
        try await withServer(Self.echo) { server in
            let transport = CurlTransport.forLoopback()
            let response = try await transport.get(server.url("/a?b=c"), headers: [("X-One", "1"), ("X-Empty", "")])
            #expect(response.status == 200)
            #expect(response.header("x-echo") == "yes")
            #expect(response.text.hasPrefix("GET /a?b=c\n"))
            let lines = response.text.split(separator: "\n")
            #expect(lines.contains("x-one=1"))
            #expect(lines.contains("x-empty="))
            #expect(lines.contains("user-agent=cloakroom"))
            #expect(!lines.contains { $0.hasPrefix("content-length") })
        }
    }

    @Test func `a POST carries its body byte for byte, NUL and all`() async throws {
        try await withServer(Self.echo) { server in
            let transport = CurlTransport.forLoopback()
            let body = [UInt8](0...255)
            let response = try await transport.send(
                TransportRequest(
                    method: .post, url: server.url(), headers: [("Content-Type", "application/octet-stream")],
                    body: body))
            #expect(response.text.hasPrefix("POST /\n"))
            #expect(response.text.contains("content-type=application/octet-stream\n"))
            #expect(response.text.contains("content-length=256\n"))
            #expect(Array(response.body.suffix(256)) == body)
        }
    }

    /// RFC 9110 § 8.6: a POST without a body says so.
    @Test(arguments: [nil, []] as [[UInt8]?])
    func `a POST without a body sends a content length of 0 and no content type`(_ body: [UInt8]?) async throws {
        try await withServer(Self.echo) { server in
            let response = try await CurlTransport.forLoopback().send(
                TransportRequest(method: .post, url: server.url(), body: body))
            #expect(response.text.hasPrefix("POST /\n"))
            #expect(response.text.contains("content-length=0\n"))
            #expect(!response.text.contains("content-type"))
        }
    }

    @Test func `a body of two mebibytes is sent at once, without waiting to be asked for`() async throws {
        try await withServer(Self.echo) { server in
            let body = [UInt8](repeating: 7, count: 2 << 20)
            let response = try await CurlTransport.forLoopback(maxResponseBytes: 3 << 20).send(
                TransportRequest(method: .post, url: server.url(), body: body))
            #expect(response.body.suffix(2 << 20) == body[...])
            #expect(!response.text.contains("expect="))
        }
    }

    @Test func `methods and bodies do not leak from one request into the next on the same handle`() async throws {
        try await withServer(Self.echo) { server in
            let transport = CurlTransport.forLoopback(maxConcurrent: 1)
            _ = try await transport.send(
                TransportRequest(method: .post, url: server.url(), headers: [("X-Old", "1")], body: [65]))
            let deleted = try await transport.send(TransportRequest(method: .delete, url: server.url("/d")))
            #expect(deleted.text.hasPrefix("DELETE /d\n"))
            #expect(!deleted.text.contains("x-old"))
            #expect(!deleted.text.contains("content-length"))
            let withBody = try await transport.send(
                TransportRequest(method: .delete, url: server.url("/d"), body: Array("why".utf8)))
            #expect(withBody.text.hasPrefix("DELETE /d\n"))
            #expect(withBody.text.hasSuffix("\n\nwhy"))
            let got = try await transport.get(server.url("/g"))
            #expect(got.text.hasPrefix("GET /g\n"))
            #expect(!got.text.contains("content-length"))
        }
    }

    @Test(arguments: ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
    func `a redirect is returned and not followed`(_ status: String) async throws {
        let requests = Counter()
        try await withServer { connection in
            connection.serve { _ in
                requests.increment()
                connection.respond(status, ["Location: /elsewhere"], "moved")
            }
        } body: { server in
            let response = try await CurlTransport.forLoopback().get(server.url())
            #expect(String(response.status) == status.prefix(3))
            #expect(response.header("location") == "/elsewhere")
            #expect(response.text == "moved")
            #expect(requests.value == 1)
        }
    }

    @Test(arguments: ["204 No Content", "400 Bad Request", "401 Unauthorized", "500 Internal Server Error", "503 Busy"])
    func `every status is a response`(_ status: String) async throws {
        try await withServer { connection in
            connection.serve { _ in
                connection.respond(status, ["WWW-Authenticate: Basic realm=x"], status.hasPrefix("204") ? "" : "told")
            }
        } body: { server in
            let response = try await CurlTransport.forLoopback().get(server.url())
            #expect(String(response.status) == status.prefix(3))
        }
    }

    @Test func `only the final response's headers count, not those of interim ones or trailers`() async throws {
        try await withServer { connection in
            connection.serve { _ in
                connection.write("HTTP/1.1 103 Early Hints\r\nX-Interim: 1\r\n\r\n")
                connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Folded: a\r\n b\r\n\r\n")
                connection.write("3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n")
            }
        } body: { server in
            let response = try await CurlTransport.forLoopback().get(server.url())
            #expect(response.headers.map(\.name) == ["transfer-encoding", "x-folded"])
            #expect(response.header("x-folded") == "a b")
            #expect(response.text == "abc")
        }
    }

    @Test func `a compressed body is returned decompressed`() async throws {
        let body = try await gzip(zeros: 100_000)
        try await withServer { connection in
            connection.serve { request in
                let isAsked = request.header("accept-encoding")?.contains("gzip") == true
                connection.respond(isAsked ? "200 OK" : "406 No", ["Content-Encoding: gzip"], body: body)
            }
        } body: { server in
            let response = try await CurlTransport.forLoopback().get(server.url())
            #expect(response.status == 200)
            #expect(response.body == [UInt8](repeating: 0, count: 100_000))
        }
    }

    /// RFC 9110 § 8.4: servers name there what is no coding, or one that the body does not have any more.
    @Test(arguments: [
        ["UTF-8"], ["aws-chunked"], ["identity"], ["br"], ["gzip"], ["deflate"], ["x", "y, z"], [""], [","],
        ["gzip, UTF-8"],
    ])
    func `a coding that the body does not have is passed over`(_ codings: [String]) async throws {
        try await withServer { connection in
            connection.serve { _ in
                connection.respond("200 OK", codings.map { "Content-Encoding: \($0)" }, #"{"access_token":"a"}"#)
            }
        } body: { server in
            let response = try await CurlTransport.forLoopback().get(server.url())
            #expect(response.text == #"{"access_token":"a"}"#)
        }
    }

    /// Its first bytes are a whole stream of deflate without a wrapping, of one byte.
    @Test func `text in lines is not taken for what is packed`() async throws {
        let body = "{\n  \"access_token\": \"a\"\n}"
        try await withServer { connection in
            connection.serve { _ in connection.respond("200 OK", ["Content-Encoding: deflate"], body) }
        } body: { server in
            let response = try await CurlTransport.forLoopback().get(server.url())
            #expect(response.text == body)
        }
    }

    @Test func `codings are taken back in reverse order, over several headers`() async throws {
        let once = try await run(["sh", "-c", "printf once | gzip -c"])
        let twice = try await run(["sh", "-c", "printf once | gzip -c | gzip -c"])
        try await withServer { connection in
            connection.serve { request in
                if request.target == "/once" {
                    connection.respond(
                        "200 OK", ["Content-Encoding: aws-chunked", "content-encoding: GZIP"], body: once)
                } else {
                    connection.respond("200 OK", ["Content-Encoding: gzip", "Content-Encoding: gzip"], body: twice)
                }
            }
        } body: { server in
            for path in ["/once", "/twice"] {
                let response = try await CurlTransport.forLoopback().get(server.url(path))
                #expect(response.text == "once")
            }
        }
    }

    @Test func `control characters in the user agent are left out`() async throws {
        try await withServer(Self.echo) { server in
            var configuration = CurlTransport.Configuration(allowInsecure: true, allowPrivateAddresses: true)
            configuration.userAgent = "broker\r\nX-Injected: 1"
            let response = try await CurlTransport(configuration: configuration).get(server.url())
            #expect(response.text.contains("user-agent=brokerX-Injected: 1\n"))
        }
    }
}
