import Testing

@testable import Formats

@Suite struct HeaderValueTests {
    /// RFC 9110 § 5.5.
    @Test(arguments: ["", "text/html", "a\tb", "\u{7F}"])
    func `a value in ASCII counts as it is`(_ value: String) {
        #expect(HeaderValue.ascii(value, of: "accept")?.isExactly(value) == true)
        #expect(HeaderValue.ascii(value, of: "cookie")?.isExactly(value) == true)
    }

    @Test(arguments: ["\u{E9}", "de,\u{301}", "prefetch\u{80}", "https://app.example.com\u{200B}"])
    func `a value that is not ASCII counts as absent`(_ value: String) {
        #expect(HeaderValue.ascii(value, of: "accept") == nil)
    }

    /// Another application of the host may have written it.
    @Test func `of cookies only the pair that is not ASCII is absent`() {
        #expect(HeaderValue.ascii("a=1; b=\u{E9}; c=3", of: "cookie") == "a=1; c=3")
        #expect(HeaderValue.ascii("\u{E9}=1", of: "cookie") == nil)
        #expect(
            HeaderValue.ascii("b=\u{301}\u{316};ours=x", of: "cookie").flatMap { HeaderValue.cookie("ours", in: $0) }
                == "x")
    }

    /// A client that writes such a byte must not hide the address that a proxy wrote behind it.
    @Test(arguments: ["forwarded", "x-forwarded-for"])
    func `of a list that proxies add to, what they wrote behind it counts`(_ name: String) {
        #expect(HeaderValue.ascii("\u{E9}, 192.0.2.1,10.0.0.1", of: name) == " 192.0.2.1,10.0.0.1")
        #expect(HeaderValue.ascii("192.0.2.1, \u{301}\u{316}", of: name) == nil)
    }

    /// RFC 9110 § 12.5.4.
    @Test(arguments: [
        ("de", ["de"]), ("DE-at, en;q=0.5", ["de", "en"]), ("en;q=0.1,fr;q=0.9 , ja", ["ja", "fr", "en"]),
        ("en;q=0, de", ["de"]), ("en;Q=0.1, de;Q=0.2", ["de", "en"]), ("a,b,c", ["a", "b", "c"]),
        ("de;x=y;q=0.2, fr;q=0.3", ["fr", "de"]),
        ("de;q=nan, fr;q=1", ["de", "fr"]), ("*", ["*"]),
    ])
    func `languages come the most wanted first`(_ value: String, _ wanted: [String]) {
        #expect(HeaderValue.languages(value) == wanted)
    }

    @Test func `of endless languages twenty count`() {
        #expect(HeaderValue.languages(Array(repeating: "de", count: 10_000).joined(separator: ",")).count == 20)
    }

    @Test(arguments: [
        ("application/json", "application/json"), ("Application/JSON ; charset=utf-8", "application/json"), ("", ""),
        (";a", ""), (" text/plain", "text/plain"),
    ])
    func `a media type is read without its parameters`(_ value: String, _ wanted: String) {
        #expect(HeaderValue.mediaType(value) == wanted)
    }

    @Test func `a word is found in any case`() {
        #expect(HeaderValue.mentions("prefetch", "Prefetch;prerender"))
        #expect(HeaderValue.mentions("prefetch", "xprefetch"))
        #expect(!HeaderValue.mentions("prefetch", "prefetc"))
        #expect(!HeaderValue.mentions("prefetch", nil))
        #expect(!HeaderValue.mentions("prefetch", ""))
    }

    @Test func `a cookie is found by its whole name`() {
        let line = "aa=1; a=2;\tb=3 ;c"
        #expect(HeaderValue.cookie("a", in: line) == "2")
        #expect(HeaderValue.cookie("b", in: line) == "3")
        #expect(HeaderValue.cookie("c", in: line) == nil)
        #expect(HeaderValue.cookie("x", in: line) == nil)
    }

    /// RFC 3986 § 2.
    @Test func `a target in ASCII stays, other bytes are escaped and mean the same`() {
        #expect(Percent.ascii("/a%20b?c=d") == "/a%20b?c=d")
        #expect(Percent.ascii("/\u{E9}?a=\u{301}") == "/%C3%A9?a=%CC%81")
        #expect(Percent.pairs(Percent.ascii("a=\u{E9}"))?.first?.value == "\u{E9}")
    }
}
