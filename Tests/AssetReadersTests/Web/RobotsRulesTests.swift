import Formats
import Testing

@testable import AssetReaders

@Suite struct RobotsRulesTests {
    private static func allow(_ file: String, _ path: String) -> Bool {
        guard let address = WebAddress("https://a.example" + path) else { return false }
        return RobotsRules(Array(file.utf8)).allow(address)
    }

    /// RFC 9309 § 2.2.1
    @Test(arguments: [
        ("User-agent: *\nDisallow: /", false), ("User-agent: CloakroomAssets\nDisallow: /", false),
        ("user-AGENT:cloakroomassets\nDISALLOW:/", false), ("User-agent: CloakroomAssets/1.0\nDisallow: /", false),
        ("User-agent: OtherBot\nDisallow: /", true), ("User-agent: CloakroomAssetsX\nDisallow: /", true),
        ("User-agent: Cloakroom\nDisallow: /", true), ("", true), ("<html><body>Not found</body></html>", true),
        // Our own group counts alone, wherever it stands.
        ("User-agent: *\nDisallow: /\n\nUser-agent: CloakroomAssets\nAllow: /", true),
        ("User-agent: CloakroomAssets\nDisallow:\n\nUser-agent: *\nDisallow: /", true),
        // Several groups for one reader are one.
        (
            "User-agent: CloakroomAssets\nAllow: /b\nUser-agent: x\nAllow: /\nUser-agent: cloakroomassets\nDisallow: /",
            false
        ),
        // One group for several readers.
        ("User-agent: OtherBot\nUser-agent: CloakroomAssets\nDisallow: /", false),
        ("User-agent: CloakroomAssets\nUser-agent: OtherBot\nDisallow: /", false),
        // Rules without a group are nobody's.
        ("Disallow: /\nUser-agent: *\nAllow: /", true),
    ])
    func `the group that names us counts, else that for all`(_ file: String, _ isAllowed: Bool) {
        #expect(Self.allow(file, "/a") == isAllowed)
    }

    /// RFC 9309 § 2.2.4
    @Test func `other records do not end a group`() {
        let file = "User-agent: OtherBot\nCrawl-delay: 5\nSitemap: https://a.example/s.xml\nUser-agent: *\nDisallow: /"
        #expect(!Self.allow(file, "/a"))
    }

    /// RFC 9309 § 2.2.2 and § 5.2
    @Test(arguments: [
        ("Disallow: /a\nAllow: /a/b", "/a/b/c", true), ("Allow: /a/b\nDisallow: /a", "/a/c", false),
        ("Disallow: /a\nAllow: /a", "/a", true),
        ("Disallow: /example/page/\nAllow: /example/page/", "/example/page/x", true),
        ("Allow: /\nDisallow: /a", "/a", false), ("Disallow: /a", "/A", true), ("Disallow: /a", "/b", true),
        ("Disallow: /", "/robots.txt", true), ("Disallow:", "/a", true),
    ])
    func `the longest rule decides, and of two equals the opening one`(
        _ rules: String, _ path: String, _ isAllowed: Bool
    ) {
        #expect(Self.allow("User-agent: *\n" + rules, path) == isAllowed)
    }

    /// RFC 9309 § 2.2.3
    @Test(arguments: [
        ("/*.pdf$", "/a/b.pdf", false), ("/*.pdf$", "/a/b.pdf?x", true), ("/*.pdf", "/a/b.pdf?x", false),
        ("/a*b*c", "/a1b2c3", false), ("/a*b*c", "/acb", true), ("/a*", "/a", false), ("*", "/a", false),
        ("/$", "/", false), ("/$", "/a", true), ("/a$b", "/a$b", false), ("/*?", "/a?x=1", false), ("/*?", "/a", true),
        ("*/b/", "/a/b/c", false), ("/a/*/c$", "/a/b/b/c", false), ("/a/*/c$", "/a/c", true), ("/***a", "/ba", false),
    ])
    func `a star is anything, and a dollar sign the end`(_ pattern: String, _ path: String, _ isAllowed: Bool) {
        #expect(Self.allow("User-agent: *\nDisallow: \(pattern)", path) == isAllowed)
    }

    /// RFC 9309 § 2.2.2: octets beyond ASCII are compared as escapes.
    @Test(arguments: [
        ("/ä", "/%C3%A4"), ("/%c3%a4", "/ä"), ("/%61", "/a"), ("/a%2fb", "/a%2Fb"), ("/a b", "/a%20b"),
        ("/foo/bar?baz=http://foo.bar", "/foo/bar?baz=http://foo.bar"),
    ])
    func `escapes are compared by what they mean`(_ pattern: String, _ path: String) {
        #expect(!Self.allow("User-agent: *\nDisallow: \(pattern)", path))
    }

    @Test func `an escaped star is a star`() {
        #expect(Self.allow("User-agent: *\nDisallow: /a%2Ab", "/axb"))
        #expect(!Self.allow("User-agent: *\nDisallow: /a%2Ab", "/a%2Ab"))
    }

    @Test(arguments: ["\n", "\r", "\r\n"])
    func `lines end in each of the three ways, with comments and space around`(_ end: String) {
        let lines = ["\u{FEFF}User-agent : *  # all", "\tDisallow : /a # private", "# Disallow: /b"]
        let file = lines.joined(separator: end)
        #expect(!Self.allow(file, "/a"))
        #expect(Self.allow(file, "/b"))
    }

    /// RFC 9309 § 2.5
    @Test func `half a mebibyte counts, and what is beyond does not`() {
        let padding = "# " + String(repeating: "x", count: 510_000) + "\n"
        #expect(!Self.allow(padding + "User-agent: *\nDisallow: /a\n" + padding, "/a"))
        #expect(Self.allow(padding + padding + "User-agent: *\nDisallow: /a\n", "/a"))
    }

    @Test func `a line that is cut closes nothing`() {
        var file = "User-agent: *\n"
        file +=
            String(repeating: "#", count: RobotsRules.mostBytes - file.utf8.count - 12) + "\nDisallow: /private/only"
        #expect(Self.allow(file, "/a"))
        #expect(Self.allow(file, "/private/only"))
    }

    @Test func `rules that take too long to compare close`() {
        let pattern = "/*" + String(repeating: "a", count: 900) + "b"
        let file = "User-agent: *\n" + String(repeating: "Disallow: \(pattern)\n", count: 280)
        let (isLongAllowed, isShortAllowed) = (
            Self.allow(file, "/" + String(repeating: "a", count: 2000)), Self.allow(file, "/c")
        )
        #expect(!isLongAllowed)
        #expect(isShortAllowed)
    }

    @Test func `bytes that are no text are passed over`() {
        let file = Array("User-agent: *\n".utf8) + [0xFF, 0x00, 0x3A, 0xFE, 0x0A] + Array("Disallow: /a".utf8)
        #expect(WebAddress("https://a.example/a").map { RobotsRules(file).allow($0) } == false)
    }

    @Test func `of a site at fault nothing but the file itself may be read`() throws {
        #expect(!RobotsRules.unknown.allow(try #require(WebAddress("https://a.example/"))))
        #expect(RobotsRules.unknown.allow(try #require(WebAddress("https://a.example/robots.txt"))))
    }
}
