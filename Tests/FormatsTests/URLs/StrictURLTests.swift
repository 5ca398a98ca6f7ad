import Formats
import Testing

@Suite struct StrictURLTests {
    struct Good: Sendable {
        let text: String
        let origin: String
        let rest: String

        init(_ text: String, _ origin: String, _ rest: String) {
            (self.text, self.origin, self.rest) = (text, origin, rest)
        }
    }

    static let good = [
        Good("https://example.com", "https://example.com", ""),
        Good("https://example.com/", "https://example.com", "/"),
        Good("https://example.com?a=b", "https://example.com", "?a=b"),
        Good("https://example.com/a/b?c=d&e=%20", "https://example.com", "/a/b?c=d&e=%20"),
        Good("http://example.com:8080/x", "http://example.com:8080", "/x"),
        Good("https://EXAMPLE.Com/Path", "https://example.com", "/Path"),
        Good("https://example.com:443/x", "https://example.com", "/x"),
        Good("http://example.com:80/x", "http://example.com", "/x"),
        Good("http://example.com:443/x", "http://example.com:443", "/x"),
        Good("https://127.0.0.1:1/", "https://127.0.0.1:1", "/"),
        Good("https://[::1]/x", "https://[::1]", "/x"),
        Good("https://[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443", "/x"),
        Good("https://[2001:DB8::1]:443/x", "https://[2001:db8::1]", "/x"),
        Good("https://example.com/@user:pass", "https://example.com", "/@user:pass"),
        Good("https://example.com/?u=https://evil.example@x", "https://example.com", "/?u=https://evil.example@x"),
        Good("https://example.com//evil.example", "https://example.com", "//evil.example"),
        Good("https://example.com/../x", "https://example.com", "/../x"),
        Good("https://a.b-c.example:65535?", "https://a.b-c.example:65535", "?"),
    ]

    @Test(arguments: good)
    func `an address has its origin and its rest`(_ good: Good) {
        let url = StrictURL(good.text)
        #expect(url?.origin.description == good.origin)
        #expect(url?.rest == good.rest)
        #expect(url?.text == good.origin + good.rest)
    }

    /// RFC 3986 § 3.2.1: `https://trusted.example@evil.example` goes to the second.
    @Test(arguments: [
        "https://user@example.com", "https://user:pass@example.com/", "https://@example.com", "https://:@example.com",
        "https://trusted.example@evil.example", "https://trusted.example:443@evil.example/", "https://a@b@example.com",
        "https://trusted.example%40evil.example", "https://trusted.example:x@evil.example",
    ])
    func `user information is refused`(_ text: String) {
        #expect(StrictURL(text) == nil)
    }

    /// The WHATWG URL standard reads `\` as `/`, others do not.
    @Test(arguments: [
        "https://example.com\\@evil.example", "https:\\\\example.com", "https:/\\example.com",
        "https://example.com/\\evil",
        "https://evil.example\\.example.com", "https://example.com\\",
    ])
    func `a backslash is refused`(_ text: String) {
        #expect(StrictURL(text) == nil)
    }

    /// The WHATWG URL standard drops tabs and line ends before it reads.
    @Test(arguments: [
        "https://exam\tple.com", "https://example.com/\n", "https://example.com\r\n", "\thttps://example.com",
        "https://example.com/a b", " https://example.com", "https://example.com ", "ht\ntps://example.com",
        "https:/\t/example.com",
        "https://example.com/\0", "https://example.com\0.evil.example", "https://example.com/\u{7F}",
        "https://example.com/\u{85}",
        "https://example.com/\u{A0}", "https://example.com/\u{2028}", "https://example.com/\u{200B}",
    ])
    func `white space and control characters are refused`(_ text: String) {
        #expect(StrictURL(text) == nil)
    }

    @Test(arguments: [
        "https://ex\u{E4}mple.com", "https://example\u{3002}com", "https://example.com\u{FF0F}evil",
        "https://example.com/\u{E9}",
        "https://\u{430}pple.example", "https://\u{2460}27.0.0.1", "https:/\u{338}/example.com",
        "https://example.com/a\u{301}",
        "https://\u{FF45}xample.com", "https://e\u{AD}xample.com", "https://example.com\u{202E}",
    ])
    func `anything outside ASCII is refused`(_ text: String) {
        #expect(StrictURL(text) == nil)
    }

    @Test(arguments: [
        "https:/example.com", "https:///example.com", "https:example.com", "https://", "https:///", "https://?",
        "https://:443",
        "https://:443/", "https:////example.com", "//example.com", "/path", "example.com", "", "https", "https:",
        "HTTPS://example.com", "Https://example.com", "javascript://example.com/%0aalert(1)", "data:text/html,x",
        "ftp://example.com", "file:///etc/passwd", "httpss://example.com", "xhttps://example.com",
        "blob:https://example.com",
    ])
    func `an address without http or https and a host is refused`(_ text: String) {
        #expect(StrictURL(text) == nil)
    }

    @Test(arguments: [
        "https://example.com:", "https://example.com:/", "https://example.com:0", "https://example.com:65536",
        "https://example.com:99999", "https://example.com:123456", "https://example.com:08443",
        "https://example.com:+443",
        "https://example.com:-1", "https://example.com:0x50", "https://example.com:80:80", "https://example.com:http",
        "https://example.com:4 43", "https://example.com:4.3", "https://[::1]:", "https://[::1]:x", "https://[::1]8080",
    ])
    func `an odd port is refused`(_ text: String) {
        #expect(StrictURL(text) == nil)
    }

    @Test(arguments: [
        "https://example.com.", "https://.example.com", "https://example..com", "https://.", "https://-example.com",
        "https://example-.com", "https://ex%61mple.com", "https://example.com%2f.evil.example", "https://ex*mple.com",
        "https://example,com", "https://exam!ple.com", "https://example.com;a", "https://(example.com)",
        "https://example.com&a",
        "https://$host", "https://example.com='", "https://" + String(repeating: "a", count: 64) + ".com",
        "https://" + Array(repeating: "abcdefghi", count: 26).joined(separator: "."),
    ])
    func `an odd host is refused`(_ text: String) {
        #expect(StrictURL(text) == nil)
    }

    @Test(arguments: [
        "https://[::1", "https://::1]", "https://::1", "https://[]", "https://[1]", "https://[::g]",
        "https://[fe80::1%25eth0]",
        "https://[fe80::1%eth0]", "https://[::1].example.com", "https://a[::1]", "https://[[::1]]", "https://[::1]]",
        "https://[::1]@evil.example", "https://[v1.a:b]", "https://[:: 1]",
    ])
    func `a malformed IPv6 address is refused`(_ text: String) {
        #expect(StrictURL(text) == nil)
    }

    /// RFC 4291 § 2.2: eight groups of at most four digits, or fewer around one `::`.
    @Test(arguments: [
        "https://[:]", "https://[:::]", "https://[1:2:3:4:5:6:7]", "https://[1:2:3:4:5:6:7:8:9]", "https://[12345::]",
        "https://[::1::2]", "https://[::1.2.3]", "https://[.:.]", "https://[::256.1.1.1]",
    ])
    func `a text of the characters of an IPv6 address that is none is refused`(_ text: String) {
        #expect(StrictURL(text) == nil)
    }

    /// The WHATWG URL standard reads a host whose last label is a number as an IPv4 address, in all the forms of
    /// `inet_aton`, and writes it as four decimal numbers; others take it for a name.
    @Test(arguments: [
        "https://2130706433", "https://127.1", "https://0x7f.1", "https://0x7f000001", "https://0177.0.0.1",
        "https://1.2.3.256",
        "https://1.2.3.4.5", "https://example.1", "https://example.0x1", "https://example.0X1F", "https://1.2.3.04",
        "https://1.2.3.0x4",
        "https://4294967296",
        "https://example.0x",
    ])
    func `a number that is not four decimal ones is refused as a host`(_ text: String) {
        #expect(StrictURL(text) == nil)
    }

    @Test(arguments: [
        "https://example.com#", "https://example.com/#x", "https://example.com?#", "https://example.com#@evil.example",
        "https://evil.example#.example.com",
    ])
    func `a fragment is refused`(_ text: String) {
        #expect(StrictURL(text) == nil)
    }

    @Test(arguments: ["\"", "<", ">", "^", "`", "{", "|", "}"])
    func `characters that no URL has are refused`(_ character: String) {
        #expect(StrictURL("https://example.com/\(character)") == nil)
        #expect(StrictURL("https://example.com/?\(character)") == nil)
    }

    @Test func `an address has at most 2048 bytes`() {
        let start = "https://example.com/"
        let longest = start + String(repeating: "a", count: 2048 - start.utf8.count)
        #expect(StrictURL(longest)?.text == longest)
        #expect(StrictURL(longest + "a") == nil)
    }
}
