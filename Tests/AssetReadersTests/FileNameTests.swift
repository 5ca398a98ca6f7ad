import Formats
import Testing

@testable import AssetReaders

@Suite struct FileNameTests {
    @Test(
        arguments: [
            ("A  title\n of\tlines ", "A title of lines"), ("", nil), (" \u{A0}\n", nil), (nil, nil),
            ("a\u{1B}[31mred", "a [31mred"), ("\u{202E}evil", "evil"), ("Straße", "Straße"),
        ] as [(String?, String?)])
    func `a name is one line without what acts on a terminal`(_ given: String?, _ expected: String?) {
        #expect(FileName.cleaned(given) == expected)
    }

    @Test func `a long name is cut between its letters`() {
        let name = FileName.cleaned(String(repeating: "ü", count: 1_000_000))
        #expect(name == String(repeating: "ü", count: 127))
    }

    @Test(arguments: [
        ("https://a.example/", "a.example"), ("https://a.example/docs/guide.html?x=1", "guide.html"),
        ("https://a.example/docs/", "docs"), ("https://a.example/%C3%BCber%20uns", "über uns"),
        ("https://a.example/a%2Fb", "a/b"), ("https://a.example/%00", "a.example"),
        ("https://a.example/a+b=c&d", "a+b=c&d"),
        ("https://a.example/%FF", "ÿ"),
    ])
    func `a page is called by the last part of its path`(_ address: String, _ name: String) throws {
        #expect(FileName.last(of: try #require(WebAddress(address))) == name)
    }
}
