import Testing

@testable import Broker

/// The values that callers give for the placeholders and the scopes of a source type.
@Suite struct ParameterTests {
    private static let yaml = Entry.yaml(
        """
        clientPerInstance: false
        parameters:
          subdomain: { pattern: "^[a-z]+$", required: true }
          region: { pattern: "^(eu|us)$", default: eu }
          note: { pattern: "^.*$", required: false }
        """,
        addresses: """
            authorizationURL: "https://{subdomain}.{region}.example.com/a"
            tokenURL: "https://{subdomain}.{region}.example.com/t"
            """)

    @Test func `defaults fill what the caller leaves out`() throws {
        #expect(try values(["subdomain": "acme"]) == ["subdomain": "acme", "region": "eu"])
        #expect(try values(["subdomain": "acme", "region": "us"]) == ["subdomain": "acme", "region": "us"])
    }

    @Test func `an optional value is kept where it is given`() throws {
        #expect(try values(["subdomain": "acme", "note": "x y"])["note"] == "x y")
    }

    @Test func `a missing value is told`() {
        #expect(throws: AuthorizeError.parameterMissing(name: "subdomain")) { try values([:]) }
    }

    @Test func `an unknown value is told, with what is known`() {
        let error = AuthorizeError.parameterUnknown(name: "domain", known: ["note", "region", "subdomain"])
        #expect(throws: error) { try values(["subdomain": "acme", "domain": "x"]) }
    }

    @Test(arguments: ["", "ACME", "acme1", "acme\n", "acme.evil", "a/b"])
    func `a value that does not match is told with its pattern`(_ value: String) {
        #expect(throws: AuthorizeError.parameterRejected(name: "subdomain", pattern: "^[a-z]+$")) {
            try values(["subdomain": value])
        }
    }

    @Test func `a default can be overridden only by what matches`() {
        #expect(throws: AuthorizeError.parameterRejected(name: "region", pattern: "^(eu|us)$")) {
            try values(["subdomain": "acme", "region": "evil.example/"])
        }
    }

    /// A generous pattern does not let a value out of its place, and the value at fault is named.
    @Test func `a value that matches but cannot stand in its place is told`() throws {
        let sourceType = try Entry.sourceType(
            Entry.yaml(
                """
                clientAuthentication: none
                parameters: { area: { pattern: '^eu$', default: eu }, host: { pattern: '.*' } }
                """,
                addresses: """
                    authorizationURL: "https://{area}.{host}.example.com/a"
                    tokenURL: "https://{host}.example.com/t"
                    """))
        let profile = try #require(sourceType.oauth)
        #expect(throws: AuthorizeError.parameterRejected(name: "host", pattern: ".*")) {
            try profile.values(["host": "evil.example/"])
        }
    }

    @Test func `a value has at most 2 KiB`() throws {
        let note = { (count: Int) in ["subdomain": "acme", "note": String(repeating: "x", count: count)] }
        #expect(try values(note(2048))["note"]?.utf8.count == 2048)
        #expect(throws: AuthorizeError.parameterRejected(name: "note", pattern: "^.*$")) { try values(note(2049)) }
    }

    @Test func `all values of a flow together have at most 4 KiB`() throws {
        let profile = try Entry.profile(
            "parameters: { a: { pattern: '^.*$' }, b: { pattern: '^.*$' }, c: { pattern: '^.*$' } }")
        let each = { (count: Int) in
            Dictionary(uniqueKeysWithValues: ["a", "b", "c"].map { ($0, String(repeating: "x", count: count)) })
        }
        #expect(try profile.values(each(1364)).count == 3)
        #expect(throws: AuthorizeError.parametersTooLong) { try profile.values(each(1365)) }
    }

    // MARK: what comes with the client

    private static let own = Entry.yaml(
        """
        clientPerInstance: true
        parameters: { host: { pattern: "^[a-z.]+$" }, team: { pattern: "^[a-z]+$", default: blue } }
        """, addresses: "authorizationURL: 'https://{host}/a'\ntokenURL: 'https://{host}/t'")
    private let ours = Client(id: "client", secret: nil, parameters: ["host": "ours.example"])

    @Test func `a host that gets the client's secret comes with the client`() throws {
        let profile = try #require(try Entry.sourceType(Self.own).oauth)
        #expect(try profile.values([:], client: ours) == ["host": "ours.example", "team": "blue"])
        #expect(try profile.values(["team": "red"], client: ours) == ["host": "ours.example", "team": "red"])
    }

    /// Not even the operator's own: who sends it believes to choose.
    @Test(arguments: ["ours.example", "evil.example", "", "!"])
    func `a caller who sends it is refused`(_ host: String) throws {
        let profile = try #require(try Entry.sourceType(Self.own).oauth)
        for isRefresh in [false, true] {
            #expect(throws: AuthorizeError.parameterIsTheOperators(name: "host")) {
                try profile.values(["host": host], client: ours, needing: isRefresh ? [] : nil)
            }
        }
    }

    @Test func `without the operator's value no text of the caller's is matched`() throws {
        let profile = try #require(try Entry.sourceType(Self.own).oauth)
        #expect(throws: AuthorizeError.parameterNotSetByOperator(name: "host")) {
            try profile.values(["team": "!", "no": "such"])
        }
    }

    /// A flow that began with another client names that one's host.
    @Test func `values agree with the client whose host they name`() throws {
        let profile = try #require(try Entry.sourceType(Self.own).oauth)
        #expect(profile.agree(["host": "ours.example", "team": "red"], with: ours))
        #expect(!profile.agree(["host": "theirs.example"], with: ours))
        #expect(!profile.agree([:], with: ours))
        #expect(!profile.agree(["host": "ours.example"], with: Client(id: "client", secret: nil)))
    }

    @Test func `a source type without parameters takes none`() throws {
        let profile = try Entry.profile()
        #expect(try profile.values([:]) == [:])
        #expect(throws: AuthorizeError.parameterUnknown(name: "a", known: [])) { try profile.values(["a": "b"]) }
    }

    // MARK: scopes

    @Test func `the caller's scopes replace the entry's own but not those always added`() throws {
        let profile = try Entry.profile("scopes: [a, b]\nalwaysScopes: [offline_access]")
        #expect(try profile.scopes(nil) == ["a", "b", "offline_access"])
        #expect(try profile.scopes(["c"]) == ["c", "offline_access"])
        #expect(try profile.scopes([]) == ["offline_access"])
        #expect(try profile.scopes(["c", "c", "offline_access"]) == ["c", "offline_access"])
    }

    /// RFC 6749 § 3.3: visible ASCII without `"` and `\`.
    @Test(arguments: ["", "a b", "a\"", "a\\", "a\n", "é", "a\u{301}", "\0", String(repeating: "a", count: 257)])
    func `a scope of another shape is refused`(_ scope: String) throws {
        let profile = try Entry.profile()
        #expect(throws: AuthorizeError.scopesMalformed) { try profile.scopes(["a", scope]) }
    }

    @Test(arguments: [
        "a", "https://example.com/auth/read:x", "!#$%&'()*+,-./:;<=>?@[]^_`{|}~", String(repeating: "a", count: 256),
    ])
    func `a scope of the shape of RFC 6749 is taken`(_ scope: String) throws {
        #expect(try Entry.profile().scopes([scope]) == [scope])
    }

    @Test func `a scope that holds the separator would be two and is refused`() throws {
        let profile = try Entry.profile("scopeSeparator: ','")
        #expect(throws: AuthorizeError.scopesMalformed) { try profile.scopes(["a,b"]) }
        #expect(try Entry.profile().scopes(["a,b"]) == ["a,b"])
    }

    @Test func `no more than 200 scopes are taken`() throws {
        let profile = try Entry.profile()
        let many = (0...200).map { "s\($0)" }
        #expect(try profile.scopes(Array(many.dropLast())).count == 200)
        #expect(throws: AuthorizeError.scopesMalformed) { try profile.scopes(many) }
    }

    @Test func `a list of scopes has at most 2 KiB`() throws {
        let profile = try Entry.profile("alwaysScopes: [offline_access]")
        let many = (10..<26).map { String(repeating: "a", count: 125) + "\($0)" }
        #expect(try profile.scopes(many).count == 17)
        #expect(throws: AuthorizeError.scopesMalformed) { try profile.scopes(many + ["b"]) }
    }

    private func values(_ given: [String: String]) throws -> [String: String] {
        try #require(try Entry.sourceType(Self.yaml).oauth).values(given)
    }
}
