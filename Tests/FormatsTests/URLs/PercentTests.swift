import Formats
import Testing

@Suite struct PercentTests {
    /// RFC 3986 § 2.3: these and no others need no encoding anywhere.
    @Test func `unreserved characters stay as they are`() {
        let unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
        #expect(Percent.encode(unreserved) == unreserved)
    }

    @Test func `of all bytes of ASCII only the unreserved stay as they are`() {
        let kept = (0..<128).filter { Percent.encode(String(Unicode.Scalar($0))) == String(Unicode.Scalar($0)) }
        #expect(kept.count == 66)
    }

    /// RFC 3986 § 2.1 and § 2.5: UTF-8, with digits in upper case.
    @Test(arguments: [
        (" ", "%20"), ("+", "%2B"), ("&", "%26"), ("=", "%3D"), ("#", "%23"), ("%", "%25"), ("/", "%2F"), ("\n", "%0A"),
        ("\0", "%00"), ("é", "%C3%A9"), ("A\u{308}", "A%CC%88"), ("\u{1F511}", "%F0%9F%94%91"), ("", ""),
    ])
    func `other characters are encoded`(_ text: String, _ encoded: String) {
        #expect(Percent.encode(text) == encoded)
    }

    @Test func `a form joins its pairs in their order`() {
        let form = Percent.form([("b", "1"), ("a", "2 3"), ("a", ""), ("x&y", "=")])
        #expect(form == "b=1&a=2%203&a=&x%26y=%3D")
        #expect(Percent.form([]) == "")
    }

    @Test(arguments: [
        ("a=1&b=2", [["a", "1"], ["b", "2"]]), ("a=1&a=2", [["a", "1"], ["a", "2"]]), ("", []), ("&&", []),
        ("a", [["a", ""]]),
        ("a=", [["a", ""]]), ("=a", [["", "a"]]), ("a=b=c", [["a", "b=c"]]), ("a=1&&b=2&", [["a", "1"], ["b", "2"]]),
        ("a=+%20%2B", [["a", "  +"]]), ("%61=%c3%A9", [["a", "é"]]), ("a=%00", [["a", "\0"]]), ("a=é", [["a", "é"]]),
        ("a=%26b%3D1", [["a", "&b=1"]]), ("a;b=1", [["a;b", "1"]]), ("?a=1", [["?a", "1"]]),
    ])
    func `a query has the pairs that it was written with`(_ query: String, _ pairs: [[String]]) {
        #expect(Percent.pairs(query)?.map { [$0.name, $0.value] } == pairs)
    }

    @Test(arguments: [
        "a=%", "a=%4", "a=%4g", "a=%g4", "%=a", "a=% 1", "a=%+1", "a=%-1", "a=%u0041", "a=%\u{661}\u{661}", "a=1&b=%zz",
    ])
    func `a malformed escape is refused`(_ query: String) {
        #expect(Percent.pairs(query) == nil)
    }

    /// RFC 3629 § 3: overlong forms, surrogates and lone bytes are not UTF-8.
    @Test(arguments: ["a=%FF", "a=%C3", "a=%C0%AF", "a=%ED%A0%80", "a=%80", "a=%F4%90%80%80", "%FF=a"])
    func `what is not UTF-8 is refused`(_ query: String) {
        #expect(Percent.pairs(query) == nil)
    }

    @Test func `what was encoded reads back`() {
        let text = String(String.UnicodeScalarView((0..<0x300).compactMap { Unicode.Scalar($0) }))
        #expect(Percent.pairs(Percent.form([(text, text)]))?.first?.value == text)
    }

    @Test(arguments: [
        ("a=%", "a", "%"), ("a=100%", "a", "100%"), ("a=%4g", "a", "%4g"), ("%=a", "%", "a"), ("a=%%41", "a", "%A"),
        ("a=%+1", "a", "% 1"), ("a=%E9", "a", "\u{E9}"), ("%E9=a", "\u{E9}", "a"), ("a=%FF%41", "a", "\u{FF}A"),
        ("a=%EF%BF%BD", "a", "\u{FFFD}"),
    ])
    func `what cannot be decoded is repaired, and says so`(_ query: String, _ name: String, _ value: String) throws {
        let pair = try #require(Percent.repairedPairs(Array(query.utf8)).first)
        #expect(pair.name == name && pair.value == value && !pair.isSound)
    }

    @Test func `a pair beside one that was repaired is sound`() {
        let pairs = Percent.repairedPairs(Array("a=%E9&b=%C3%A9&c=%zz&d=+".utf8))
        #expect(pairs.map(\.isSound) == [false, true, false, true])
        #expect(pairs.map(\.value) == ["\u{E9}", "\u{E9}", "%zz", " "])
        #expect(pairs[0].bytes.value == [0xE9])
    }
}
