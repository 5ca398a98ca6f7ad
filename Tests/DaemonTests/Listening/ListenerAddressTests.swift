import Daemon
import Formats
import Testing

@Suite struct ListenerAddressTests {
    /// RFC 3986 § 3.2.2.
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:8080"), ("::1", "[::1]:8080"), ("broker.internal", "broker.internal:8080"),
    ])
    func `an address is written as in a URL`(_ host: String, _ text: String) {
        #expect(ListenerAddress(host: host, port: 8080).description == text)
    }

    @Test(arguments: [
        ("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("", "127.0.0.1"), ("::1", "::1"), ("10.0.0.1", "10.0.0.1"),
    ])
    func `what listens everywhere is reached on loopback`(_ host: String, _ reachable: String) {
        #expect(ListenerAddress(host: host, port: 1).reachable == ListenerAddress(host: reachable, port: 1))
    }

    /// RFC 6750 § 5.2: over plain http a token may go to this machine alone.
    @Test(arguments: [
        ("localhost", true), ("127.0.0.1", true), ("127.255.255.254", true), ("::1", true), ("[::1]", true),
        ("127.evil.example", false), ("127.0.0.1.evil.example", false), ("localhost.evil.example", false),
        ("128.0.0.1", false), ("0.0.0.0", false), ("::2", false), ("", false),
    ])
    func `only what cannot lead elsewhere is loopback`(_ host: String, _ isLoopback: Bool) {
        #expect(Loopback.contains(host) == isLoopback)
    }

    @Test(arguments: [
        ("http://localhost:8080", true), ("http://[::1]", true), ("http://[::1]:80/x", true),
        ("http://127.0.0.1/", true),
        ("http://127.evil.example", false), ("https://broker.example.com:8443/base", false),
        ("http://[2001:db8::1]", false),
    ])
    func `a URL's host is told from its port and path`(_ text: String, _ isLoopback: Bool) throws {
        #expect(try #require(StrictURL(text)).isLoopback == isLoopback)
    }

    @Test(
        arguments: [
            ("https://b.example", "https://b.example"), ("https://b.example/", "https://b.example"),
            ("https://b.example/base//", "https://b.example/base"), ("https://b.example:443", "https://b.example"),
            ("https://b.example/?x", nil), ("https://b.example?", nil), ("b.example", nil), ("///", nil), ("", nil),
        ] as [(String, String?)])
    func `a base has no slash at its end and no query`(_ text: String, _ base: String?) {
        #expect(StrictURL(base: text)?.text == base)
    }
}
