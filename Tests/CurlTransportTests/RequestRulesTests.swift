import CurlTransport
import Testing
import Transport

/// Requests that must not leave.
@Suite(.timeLimit(.minutes(5))) struct RequestRulesTests {
    /// Permits everything that can be permitted.
    private let lenient = CurlTransport.forLoopback(timeout: .seconds(5))
    private let strict = CurlTransport(configuration: .init(timeout: .seconds(5), allowPrivateAddresses: true))

    @Test(arguments: [
        "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "dict://127.0.0.1/", "smb://127.0.0.1/a",
        "ldap://127.0.0.1/", "telnet://127.0.0.1/", "javascript:alert(1)", "data:,x", "127.0.0.1/", "//127.0.0.1/",
        "/etc/passwd", "", "https:/127.0.0.1", "https:127.0.0.1", "https://", "https://:443/", "http://[::1", "https",
        "http://127.0.0.1:99999/", "http://127.0.0.1:x/",
    ])
    func `an address that is not a complete web address is refused`(_ url: String) async {
        #expect(await lenient.outcome(url).error == .addressNotAllowed)
    }

    @Test(arguments: ["http://127.0.0.1:9/", "HTTP://127.0.0.1:9/", "Http://127.0.0.1:9/"])
    func `plain http is refused unless it is allowed`(_ url: String) async {
        #expect(await strict.outcome(url).error == .addressNotAllowed)
        #expect(await lenient.outcome(url).error == .connectionRefused)
    }

    @Test(arguments: [
        "http://127.0.0.1/\r\nX-Injected: 1", "http://127.0.0.1/\na", "http://127.0.0.1/\0", "http://127.0.0.1/a b",
        "http://127.0.0.1/\t", "http://127.0.0.1/\u{7f}", "http://127.0.0.1/é", " http://127.0.0.1/",
        "http://①②⑦.⓪.⓪.①/", "http://a\r\nHost: b/",
    ])
    func `an address with white space, control or foreign characters is refused`(_ url: String) async {
        #expect(await lenient.outcome(url).error == .addressNotAllowed)
    }

    @Test(arguments: ["http://user@127.0.0.1:9/", "http://user:pass@127.0.0.1:9/", "http://example.com@127.0.0.1:9/"])
    func `an address with user information is refused`(_ url: String) async {
        #expect(await lenient.outcome(url).error == .addressNotAllowed)
    }

    @Test(arguments: [
        ("X-A", "1\r\nX-Injected: 1"), ("X-A", "1\n"), ("X-A", "1\r"), ("X-A", "1\0"), ("X-A", "\u{1}"),
        ("X-A\r\nX-Injected", "1"), ("X-A\n", "1"), ("X-A\0", "1"), ("X A", "1"), ("X-A:", "1"), ("", "1"),
        ("X-É", "1"), ("X-A;", ""), ("@file", "1"),
    ])
    func `a header that could become another header is refused`(_ header: (name: String, value: String)) async throws {
        try await expectRefused(header)
    }

    @Test(arguments: [
        ("Content-Length", "5"), ("transfer-encoding", "chunked"), ("Host", "b"), ("CONNECTION", "close"),
        ("Expect", "100-continue"), ("Upgrade", "h2c"), ("TE", "trailers"), ("Trailer", "X"),
    ])
    func `a header that frames or routes the message is refused`(_ header: (name: String, value: String)) async throws {
        try await expectRefused(header)
    }

    private func expectRefused(_ header: (name: String, value: String)) async throws {
        try await withServer { connection in
            connection.serve { _ in connection.respond() }
        } body: { server in
            let outcome = await lenient.outcome(
                TransportRequest(method: .post, url: server.url(), headers: [header], body: [65]))
            #expect(outcome.error == .addressNotAllowed)
            #expect(server.acceptedCount == 0)
        }
    }
}
