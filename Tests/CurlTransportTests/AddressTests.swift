import CurlTransport
import Foundation
import Testing

/// No spelling of a local address and no name for one gets a connection, unless it is allowed.
@Suite(.timeLimit(.minutes(5))) struct AddressTests {
    static let spellings = [
        "127.0.0.1", "127.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "localhost",
        "LOCALHOST", "a.localhost", "%31%32%37.0.0.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    ]

    private let strict = CurlTransport(configuration: .init(timeout: .seconds(10), allowInsecure: true))
    private let lenient = CurlTransport.forLoopback(timeout: .seconds(10))

    @Test(arguments: spellings)
    func `loopback is refused in every spelling, and nothing connects`(_ host: String) async throws {
        try await withServer { connection in
            connection.serve { _ in connection.respond() }
        } body: { server in
            let error = await strict.outcome("http://\(host):\(server.port)/").error
            #expect(error == .addressNotAllowed)
            #expect(server.acceptedCount == 0)
        }
    }

    @Test(arguments: ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "localhost", "[::ffff:127.0.0.1]"])
    func `loopback is reached where it is allowed`(_ host: String) async throws {
        try await withServer { connection in
            connection.serve { _ in connection.respond("200 OK", [], "here") }
        } body: { server in
            let outcome = await lenient.outcome("http://\(host):\(server.port)/")
            #expect(outcome.response?.text == "here")
        }
    }

    @Test func `IPv6 loopback is refused unless it is allowed`() async throws {
        try await withServer(
            { connection in
                connection.serve { _ in connection.respond("200 OK", [], "here") }
            }, family: .v6
        ) { server in
            let url = "http://[::1]:\(server.port)/"
            #expect(await strict.outcome(url).error == .addressNotAllowed)
            #expect(server.acceptedCount == 0)
            #expect(await lenient.outcome(url).response?.text == "here")
        }
    }

    @Test(arguments: [
        "0.0.0.0", "0", "[::]", "[::ffff:0.0.0.0]", "169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]",
        "224.0.0.1", "255.255.255.255", "[ff02::1]", "[fe80::1]",
    ])
    func `some addresses are refused even where private ones are allowed`(_ host: String) async throws {
        try await withServer { connection in
            connection.serve { _ in connection.respond() }
        } body: { server in
            #expect(await lenient.outcome("http://\(host):\(server.port)/").error == .addressNotAllowed)
            #expect(server.acceptedCount == 0)
        }
    }

    @Test(arguments: ["10.0.0.1", "192.168.0.1", "172.16.0.1", "100.64.0.1", "[fc00::1]"])
    func `private addresses are refused without a packet sent`(_ host: String) async {
        #expect(await strict.outcome("http://\(host)/").error == .addressNotAllowed)
    }

    /// In a process of its own, as the environment is everybody's.
    @Test func `proxies that the environment names are ignored`() async {
        await #expect(processExitsWith: .success) {
            let proxied = Counter()
            let proxy = try LoopbackServer { connection in
                proxied.increment()
                connection.serve { _ in connection.respond("200 OK", [], "by proxy") }
            }
            for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
                setenv(name, "http://127.0.0.1:\(proxy.port)", 1)
            }
            try await withServer { connection in
                connection.serve { _ in connection.respond("200 OK", [], "direct") }
            } body: { server in
                let response = try await CurlTransport.forLoopback().get(server.url())
                try #require(response.text == "direct")
            }
            try #require(proxied.value == 0)
        }
    }
}
