import Formats
import Testing

@Suite struct WebAddressTests {
    /// RFC 3986 § 6.2.2 and § 6.2.3, and the URL standard of browsers for what no URL may hold.
    @Test(arguments: [
        ("https://Example.COM", "https://example.com/"), ("HTTPS://example.com:443/", "https://example.com/"),
        ("https://example.com/a#b", "https://example.com/a"), ("https://example.com/#?x", "https://example.com/"),
        ("https://example.com?a=b", "https://example.com/?a=b"),
        ("https://example.com/a?x=%7e#f", "https://example.com/a?x=%7e"),
        ("https://example.com/%7Ea/%c3%a9", "https://example.com/~a/%C3%A9"),
        ("https://example.com/a%2Fb", "https://example.com/a%2Fb"),
        ("https://example.com/100%", "https://example.com/100%25"),
        ("https://example.com/a b", "https://example.com/a%20b"),
        ("https://example.com/é?é=\"", "https://example.com/%C3%A9?%C3%A9=%22"),
        ("https://example.com/a/./b/../c", "https://example.com/a/c"),
        ("https://example.com/../../a", "https://example.com/a"),
        ("https://example.com/a/%2e%2E/b", "https://example.com/b"),
        ("https://example.com/a/..", "https://example.com/"), ("https://example.com/a/.", "https://example.com/a/"),
        ("https://example.com//a//", "https://example.com//a//"),
        (" \nhttps://example.com/\ta\r\n ", "https://example.com/a"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"),
    ])
    func `an address has one spelling`(_ given: String, _ expected: String) {
        #expect(WebAddress(given)?.text == expected)
    }

    @Test(arguments: [
        "", "example.com", "/a", "ftp://example.com/", "mailto:a@example.com", "javascript:alert(1)", "https:///a",
        "https://", "https:example.com", "https://user:secret@example.com/", "https://exa mple.com/",
        "https://example.com:99999/", "https://\u{1}/", "http\u{1A}//example.com/",
        "https://example.com/" + String(repeating: "a", count: 2048),
        "https://example.com/" + String(repeating: "é", count: 400),
    ])
    func `what is no address of the web is none`(_ given: String) {
        #expect(WebAddress(given) == nil)
    }

    /// RFC 3986 § 5.4.1 and § 5.4.2, but for the parts that are none of the web's.
    @Test(arguments: [
        ("g", "http://a/b/c/g"), ("./g", "http://a/b/c/g"), ("g/", "http://a/b/c/g/"), ("/g", "http://a/g"),
        ("//g", "http://g/"), ("?y", "http://a/b/c/d;p?y"), ("g?y", "http://a/b/c/g?y"), ("#s", "http://a/b/c/d;p?q"),
        ("g#s", "http://a/b/c/g"), ("g?y#s", "http://a/b/c/g?y"), (";x", "http://a/b/c/;x"),
        ("g;x", "http://a/b/c/g;x"),
        ("", "http://a/b/c/d;p?q"), (".", "http://a/b/c/"), ("./", "http://a/b/c/"), ("..", "http://a/b/"),
        ("../", "http://a/b/"), ("../g", "http://a/b/g"), ("../..", "http://a/"), ("../../", "http://a/"),
        ("../../g", "http://a/g"), ("../../../g", "http://a/g"), ("/./g", "http://a/g"), ("/../g", "http://a/g"),
        ("g.", "http://a/b/c/g."), (".g", "http://a/b/c/.g"), ("g..", "http://a/b/c/g.."), ("./../g", "http://a/b/g"),
        ("./g/.", "http://a/b/c/g/"), ("g/./h", "http://a/b/c/g/h"), ("g/../h", "http://a/b/c/h"),
        ("g?y/./x", "http://a/b/c/g?y/./x"), ("HTTPS://B/", "https://b/"),
    ])
    func `a reference leads where RFC 3986 says`(_ reference: String, _ expected: String) {
        #expect(WebAddress("http://a/b/c/d;p?q")?.resolving(reference)?.text == expected)
    }

    @Test(arguments: [
        "g:h", "mailto:a", "javascript:void(0)", "data:text/html,x", "tel:+1", "http:g", "//", "https://",
    ])
    func `a reference to something else leads nowhere`(_ reference: String) {
        #expect(WebAddress("http://a/b")?.resolving(reference) == nil)
    }

    @Test(arguments: [
        ("https://a.example", "/"), ("https://a.example/docs", "/"), ("https://a.example/docs/", "/docs/"),
        ("https://a.example/docs/index.html?x=/y/", "/docs/"),
    ])
    func `the directory ends with the last slash of the path`(_ address: String, _ directory: String) {
        #expect(WebAddress(address)?.directory == directory)
    }

    @Test func `a hostile reference of megabytes is refused before it is read`() {
        let reference = String(repeating: "../", count: 1_000_000)
        #expect(WebAddress("https://a.example/")?.resolving(reference) == nil)
    }
}
