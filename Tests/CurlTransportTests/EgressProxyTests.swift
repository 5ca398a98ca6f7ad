import Formats
import Testing

@testable import CurlTransport

@Suite struct EgressProxyTests {
    @Test(arguments: [
        ("http://proxy.example:3128", "http://proxy.example:3128"), ("http://proxy.example", "http://proxy.example:80"),
        ("https://proxy.example", "https://proxy.example:443"), ("http://[fd00::1]", "http://[fd00::1]:80"),
        ("http://[fd00::1]:3128", "http://[fd00::1]:3128"),
    ])
    func `a proxy without a port has its scheme's, not libcurl's`(_ text: String, _ url: String) throws {
        let origin = try #require(Origin(text))
        #expect(EgressProxy(origin).url == url)
    }

    @Test(arguments: [
        ("internal.example.com", "internal.example.com", true),
        ("internal.example.com", "a.internal.example.com", true),
        (".example.com", "example.com", true), ("*.example.com", "a.b.example.com", true),
        ("EXAMPLE.com", "example.com", true), ("example.com", "notexample.com", false),
        ("example.com", "example.com.evil.net", false), ("10.0.0.0/8", "10.1.2.3", true),
        ("10.0.0.0/8", "11.1.2.3", false),
        ("10.0.0.0/8", "ten.example", false), ("127.0.0.1", "127.0.0.1", true), ("fd00::/8", "[fd00::1]", true),
        ("::1", "[::1]", true), ("::1", "::1.example", false), ("localhost", "localhost", true),
    ])
    func `an exception is a name with all below it, or a network`(_ text: String, _ host: String, _ covers: Bool) throws
    {
        let exception = try #require(ProxyException(text))
        #expect(exception.covers(host) == covers)
    }

    @Test(arguments: [
        "", "*", ".", "*.", "a b", "https://a.example", "a.example:80", "a.example/b", "10.0.0.0/33", "é.example",
    ])
    func `what is neither is no exception`(_ text: String) {
        #expect(ProxyException(text) == nil)
    }
}
