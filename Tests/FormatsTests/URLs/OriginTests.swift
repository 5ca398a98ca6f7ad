import Formats
import Testing

@Suite struct OriginTests {
    /// RFC 6454 § 6.2: the ASCII serialisation, which is what browsers send.
    @Test(arguments: [
        "https://example.com", "http://localhost", "https://example.com:8443", "http://127.0.0.1:8082",
        "http://[::1]:8080",
        "https://a-b.c_d.example", "https://xn--bcher-kva.example", "http://example.com:443", "https://example.com:80",
        "https://example.com:65535", "https://example.com:1",
    ])
    func `an origin as browsers write it is one`(_ text: String) {
        #expect(Origin(text)?.description == text)
        #expect(Origin(kept: text)?.description == text)
    }

    /// Whoever can write to the database must not have every page listen.
    @Test(arguments: [
        "", "*", "null", "https://", "http://", "https://*", "https://*.example.com", "https://example.com/",
        "https://example.com?a", "https://user@example.com", "https://a.example,https://b.example",
        "https://example.com\n", "https://ex\u{e4}mple.com", "javascript:alert(1)", "ws://example.com",
    ])
    func `a row's text that is no origin is none`(_ text: String) {
        #expect(Origin(kept: text) == nil)
    }

    @Test(arguments: [
        "https://example.com/", "https://example.com?", "https://example.com#", "https://Example.com",
        "HTTPS://example.com",
        "https://example.com:443", "http://example.com:80", "https://example.com:", "https://example.com:0", "null", "",
        "https://", "https://*.example.com", "*", "file://", "ws://example.com", "example.com", "//example.com",
        "https://user@example.com", "https://example.com ", " https://example.com", "https://example.com\n",
        "https://example.com,https://other.example", "https://example.com/path", "https://example.com\\",
        "https://ex%61mple.com",
    ])
    func `anything else is none`(_ text: String) {
        #expect(Origin(text) == nil)
    }

    /// RFC 5952 § 4: the one spelling that browsers send; another would never equal what they do.
    @Test(arguments: [
        "https://[0:0:0:0:0:0:0:1]", "https://[2001:db8:0:0:0:0:0:1]", "https://[2001:0db8::1]", "https://[::0]",
    ])
    func `an IPv6 address in another spelling than browsers write is none`(_ text: String) {
        #expect(Origin(text) == nil)
    }

    @Test func `origins with another scheme, host or port are not equal`() {
        #expect(Origin("https://example.com") == Origin("https://example.com"))
        #expect(Origin("https://example.com") != Origin("http://example.com"))
        #expect(Origin("https://example.com") != Origin("https://example.com:8443"))
        #expect(Origin("https://example.com") != Origin("https://www.example.com"))
    }
}
