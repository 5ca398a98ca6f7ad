import Broker
import Catalog
import Formats
import Testing

@Suite struct URLTemplateTests {
    // MARK: literals

    @Test func `an address without placeholders is itself`() throws {
        let template = try URLTemplate("https://example.com/oauth/token?a=b")
        #expect(template.placeholders.isEmpty)
        #expect(template.filled(with: [:]) == "https://example.com/oauth/token?a=b")
        #expect(template.filled(with: ["a": "b"]) == "https://example.com/oauth/token?a=b")
    }

    @Test func `an http address is insecure`() throws {
        #expect(try URLTemplate("http://127.0.0.1:8082/token").isInsecure)
        #expect(try !URLTemplate("https://example.com/token").isInsecure)
    }

    @Test(
        arguments: [
            ("", .notHTTP), ("example.com/token", .notHTTP), ("ftp://example.com", .notHTTP),
            ("HTTPS://example.com", .notHTTP),
            ("https:/example.com", .notHTTP), ("https:example.com", .notHTTP), ("{scheme}://example.com", .notHTTP),
            (" https://example.com", .notHTTP), ("javascript:alert(1)", .notHTTP),
            ("https://example.com/#", .fragment), ("https://example.com/#/{a}", .fragment), ("https://{a}#", .fragment),
            ("https://user@example.com", .userInformation), ("https://{user}@example.com", .userInformation),
            ("https://{user}:{pass}@example.com/", .userInformation), ("https://example.com@{host}/", .userInformation),
            ("https://", .emptyHost), ("https:///token", .emptyHost), ("https://?a={b}", .emptyHost),
            ("https://{host/token", .unbalancedBrace), ("https://host}/token", .unbalancedBrace),
            ("https://example.com/{", .unbalancedBrace),
            ("https://example.com/}", .unbalancedBrace), ("https://example.com/{}", .unbalancedBrace),
            ("https://example.com/{{a}}", .unbalancedBrace), ("https://example.com/{a}}", .unbalancedBrace),
            ("https://example.com/{a b}", .unbalancedBrace), ("https://{a.b}.example.com", .unbalancedBrace),
            ("https://{a/b}", .unbalancedBrace), ("https://example.com/{\u{E9}}", .unbalancedBrace),
            ("https://example.com:/", .malformed), ("https://example.com:99999/{a}", .malformed),
            ("https://exa mple.com/{a}", .malformed),
            ("https://example.com/a b", .malformed), ("https://ex\u{E4}mple.com/{a}", .malformed),
            ("https://example..com/", .malformed),
            ("https://example.com\\{a}", .malformed), ("https://example.com/\n", .malformed),
            ("https://-{a}-/", .malformed),
            ("https://{a}:x/", .malformed),
        ] as [(String, URLTemplate.Fault)])
    func `what is wrong with a template is told`(_ text: String, _ fault: URLTemplate.Fault) {
        #expect(throws: fault) { try URLTemplate(text) }
    }

    @Test func `a placeholder for a port takes a port alone`() throws {
        let template = try URLTemplate("https://example.com:{port}/token")
        #expect(template.filled(with: ["port": "8443"]) == "https://example.com:8443/token")
        for value in ["", "0", "65536", "a", "1.2", "-1", "80@evil.example", "80/"] {
            #expect(template.filled(with: ["port": value]) == nil)
        }
    }

    @Test func `a placeholder that comes twice is one`() throws {
        let template = try URLTemplate("https://{a}.example.com/{b}/{a}?c={b}")
        #expect(template.placeholders == ["a", "b"])
        #expect(template.filled(with: ["a": "x", "b": "y z"]) == "https://x.example.com/y%20z/x?c=y%20z")
    }

    // MARK: every place

    @Test(arguments: [
        ("https://{v}/token", "acme.example.com", "https://acme.example.com/token"),
        ("https://{v}", "acme.example.com:8443", "https://acme.example.com:8443"),
        ("https://{v}?a", "localhost", "https://localhost?a"),
        ("https://{v}.example.com/token", "acme", "https://acme.example.com/token"),
        ("https://{v}.example.com/token", "eu.acme", "https://eu.acme.example.com/token"),
        ("https://login-{v}.example.com/token", "eu1", "https://login-eu1.example.com/token"),
        ("https://{v}.example.com:8443/token", "acme", "https://acme.example.com:8443/token"),
        ("https://login.{v}/token", "example.com", "https://login.example.com/token"),
        ("https://example.com/{v}/token", "a/b", "https://example.com/a%2Fb/token"),
        ("https://example.com/{v}/token", "a b+c", "https://example.com/a%20b%2Bc/token"),
        ("https://example.com/x{v}y", "é", "https://example.com/x%C3%A9y"),
        ("https://example.com/token?t={v}", "a&b=c", "https://example.com/token?t=a%26b%3Dc"),
        ("https://example.com/token?t={v}&u=1", "#", "https://example.com/token?t=%23&u=1"),
        ("https://example.com?{v}=1", "a=b", "https://example.com?a%3Db=1"),
    ])
    func `a value is encoded for its place`(_ template: String, _ value: String, _ filled: String) throws {
        #expect(try URLTemplate(template).filled(with: ["v": value]) == filled)
    }

    private static let breakouts = [
        "", "evil.example/", "evil.example/.", "evil.example?", "evil.example#", "evil.example\\", "user@evil.example",
        "@evil.example", "evil.example%2f", "%65vil", "evil.example ", " evil.example", "evil.example\n",
        "evil\t.example",
        "evil.example\0", ".evil.example", "..", ".", "evil..example", "-", "-evil", "/", "//evil.example", "?", "#",
        ":", "@",
        "https://evil.example", "\u{435}vil", "evil\u{3002}example", "{v}", "a\"b", "<a>", "evil.example:443@", ";",
        "a,b", "*",
        String(repeating: "a", count: 64),
    ]

    /// A value that can stand as a whole host names only a host; a part of a host has no port either.
    @Test(arguments: breakouts)
    func `a value that is no host cannot stand as one`(_ value: String) throws {
        #expect(try URLTemplate("https://{v}/token").filled(with: ["v": value]) == nil)
    }

    @Test(arguments: breakouts + ["evil.example:8443", "evil:1", "[::1]", "acme-", "acme.", "a_b"])
    func `a value that is no part of a host cannot stand as one`(_ value: String) throws {
        #expect(try URLTemplate("https://{v}.example.com/token").filled(with: ["v": value]) == nil)
    }

    @Test(
        arguments: breakouts + [
            "evil.example", "evil.example:8443", "..%2f..", "%2e%2e", "../..", "..;", "a/../b", "&a=b", "\r\nX: y",
        ])
    func `no value in a path or query changes the host, the depth or the parts of the address`(_ value: String) throws {
        for place in [
            "https://example.com/a/{v}/b", "https://example.com/a/{v}?c=d", "https://example.com/a?b={v}&c=d",
        ] {
            guard let filled = try URLTemplate(place).filled(with: ["v": value]) else { continue }
            let url = try #require(StrictURL(filled))
            let sample = try #require(try URLTemplate(place).filled(with: ["v": "x"]))
            #expect(url.origin.description == "https://example.com")
            for separator in ["/", "?", "&", "=", "#"] {
                #expect(
                    filled.split(separator: separator, omittingEmptySubsequences: false).count
                        == sample.split(separator: separator, omittingEmptySubsequences: false).count)
            }
            #expect(!filled.contains("/../") && !filled.contains("/./"))
        }
    }

    /// RFC 3986 § 5.2.4: a segment of dots is another folder.
    @Test(arguments: ["", ".", ".."])
    func `a segment of dots or nothing cannot stand in a path`(_ value: String) throws {
        #expect(try URLTemplate("https://example.com/a/{v}/b").filled(with: ["v": value]) == nil)
    }

    @Test(arguments: ["https://example.com/.{v}/b", "https://example.com/{v}./b", "https://example.com/{v}{w}/b"])
    func `dots do not join to a segment of dots`(_ place: String) throws {
        #expect(try URLTemplate(place).filled(with: ["v": ".", "w": "."]) == nil)
    }

    @Test func `a missing value fills nothing`() throws {
        let template = try URLTemplate("https://{a}.example.com/{b}")
        #expect(template.filled(with: ["a": "x"]) == nil)
        #expect(template.filled(with: [:]) == nil)
    }

    @Test func `a value is not read as a template`() throws {
        let template = try URLTemplate("https://example.com/{a}/{b}")
        #expect(template.filled(with: ["a": "{b}", "b": "x"]) == "https://example.com/%7Bb%7D/x")
    }
}
