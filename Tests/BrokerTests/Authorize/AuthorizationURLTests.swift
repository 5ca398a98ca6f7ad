import Catalog
import Formats
import Secrets
import Testing

@testable import Broker

@Suite struct AuthorizationURLTests {
    private static let redirectURI = "https://broker.example.com/oauth/callback"
    private let state = State("8xLOxBtZp8WyMqYrSWNtPRAbBJrQ9hQ4M-9tJ1bYzXE")
    private let verifier = CodeVerifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")

    /// RFC 6749 § 4.1.1 and RFC 7636 § 4.3, with the verifier of RFC 7636 appendix B.
    @Test func `the address has what a code and PKCE need, in one order`() throws {
        #expect(
            try address("scopes: [read, write]") == """
                https://example.com/authorize?response_type=code&client_id=client\
                &redirect_uri=https%3A%2F%2Fbroker.example.com%2Foauth%2Fcallback&scope=read%20write\
                &state=8xLOxBtZp8WyMqYrSWNtPRAbBJrQ9hQ4M-9tJ1bYzXE\
                &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256
                """)
    }

    @Test func `no parameter comes twice`() throws {
        let names = try parameters(
            "scopes: [a]\nauthorizationParameters: { response_type: code, scope: b, access_type: offline }"
        ).map(\.name)
        #expect(Set(names).count == names.count)
    }

    /// RFC 7636 § 4.2: `plain` sends the verifier itself.
    @Test func `plain sends the verifier itself`() throws {
        let parameters = try parameters("pkce: plain")
        #expect(value("code_challenge", parameters) == "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        #expect(value("code_challenge_method", parameters) == "plain")
    }

    @Test func `where PKCE is off nothing of it is sent`() throws {
        let address = try address("pkce: none")
        #expect(!address.contains("code_challenge"))
        #expect(!address.contains("dBjftJeZ4CVP"))
    }

    @Test func `S256 never sends the verifier`() throws {
        #expect(try !address().contains("dBjftJeZ4CVP"))
    }

    @Test(arguments: [
        ("scopes: [a, b]", "scope", "a b"), ("scopes: [a, b]\nscopeSeparator: ','", "scope", "a,b"),
        ("scopes: [a]\nscopeParameter: user_scope", "user_scope", "a"),
        ("scopes: [a]\nalwaysScopes: [b]", "scope", "a b"),
        ("scopes: [a, b]\nalwaysScopes: [b, a, c]", "scope", "a b c"), ("alwaysScopes: [b]", "scope", "b"),
        ("scopes: ['https://example.com/a:b&c']", "scope", "https://example.com/a:b&c"),
    ])
    func `scopes are joined as the entry says`(_ oauth: String, _ name: String, _ scopes: String) throws {
        #expect(try value(name, parameters(oauth)) == scopes)
    }

    @Test func `without scopes there is no parameter for them`() throws {
        #expect(try !address("scopes: []").contains("scope"))
    }

    @Test func `a scope among the entry's parameters is sent only where there are no scopes`() throws {
        let own = "authorizationParameters: { scope: fixed }"
        #expect(try value("scope", parameters(own)) == "fixed")
        #expect(try value("scope", parameters("\(own)\nscopes: [a]")) == "a")
    }

    @Test func `an entry may ask for another response type`() throws {
        let parameters = try parameters("authorizationParameters: { response_type: 'code id_token' }")
        #expect(parameters.filter { $0.name == "response_type" }.map(\.value) == ["code id_token"])
    }

    @Test func `the entry's parameters are sent in its order and encoded`() throws {
        let address = try address("authorizationParameters: { z: 'a b', a: '&x=y#', 'n&m': '1' }")
        #expect(address.contains("&z=a%20b&a=%26x%3Dy%23&n%26m=1&"))
    }

    @Test(arguments: [
        ("https://example.com/authorize?v=2", "https://example.com/authorize?v=2&response_type=code&"),
        ("https://example.com/authorize?", "https://example.com/authorize?&response_type=code&"),
        ("https://example.com", "https://example.com?response_type=code&"),
    ])
    func `the query of the entry's own address stays`(_ own: String, _ start: String) throws {
        let sourceType = try Entry.sourceType(
            Entry.yaml(addresses: "authorizationURL: \(own)\ntokenURL: https://example.com/token"))
        #expect(try address(of: #require(sourceType.oauth)).hasPrefix(start))
    }

    @Test(arguments: ["a&b=c", "a b", "a#b", "é", "1234.apps.example", "a/b?c"])
    func `the client's name is encoded`(_ id: String) throws {
        let address = try address(of: Entry.profile(), client: id)
        let query = try #require(address.split(separator: "?", maxSplits: 1).last)
        #expect(try value("client_id", #require(Percent.pairs(query))) == id)
        #expect(StrictURL(address) != nil)
    }

    @Test func `the client's secret is not in the address`() throws {
        #expect(try !address().contains("hunter2"))
    }

    @Test func `a value that cannot stand in its place gives no address`() throws {
        let sourceType = try Entry.sourceType(
            Entry.yaml(
                "parameters: { host: { pattern: '.*' } }\nclientAuthentication: none",
                addresses: "authorizationURL: 'https://{host}.example.com/a'\ntokenURL: 'https://{host}.example.com/t'")
        )
        let profile = try #require(sourceType.oauth)
        #expect(url(of: profile, values: ["host": "evil.example/"]) == nil)
        #expect(url(of: profile, values: [:]) == nil)
        #expect(url(of: profile, values: ["host": "acme"])?.hasPrefix("https://acme.example.com/a?") == true)
    }

    private func address(_ oauth: String = "") throws -> String { try address(of: Entry.profile(oauth)) }

    private func address(of profile: OAuthProfile, client: String = "client") throws -> String {
        try #require(url(of: profile, client: client))
    }

    private func url(of profile: OAuthProfile, client: String = "client", values: [String: String] = [:]) -> String? {
        profile.authorizationURL(
            client: Client(id: client, secret: ClientSecret("hunter2")), redirectURI: Self.redirectURI, state: state,
            verifier: verifier, values: values)
    }

    private func parameters(_ oauth: String) throws -> [(name: String, value: String)] {
        try #require(Percent.pairs(address(oauth).drop { $0 != "?" }.dropFirst()))
    }

    private func value(_ name: String, _ parameters: [(name: String, value: String)]) -> String? {
        parameters.first { $0.name == name }?.value
    }
}
