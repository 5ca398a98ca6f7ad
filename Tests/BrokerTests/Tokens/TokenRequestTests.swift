import Formats
import Foundation
import Secrets
import Testing
import Transport

@testable import Broker

@Suite struct TokenRequestTests {
    /// RFC 6749 § 4.1.3 and RFC 7636 § 4.5.
    @Test func `an exchange has the code, the redirect address and the verifier`() throws {
        let request = try request()
        #expect(request.method == .post)
        #expect(request.url == "https://example.com/token")
        #expect(
            body(request) == """
                grant_type=authorization_code&code=c%2Fode&redirect_uri=https%3A%2F%2Fbroker.example.com%2Foauth%2Fcallback\
                &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk
                """)
        #expect(header("Content-Type", request) == "application/x-www-form-urlencoded")
        #expect(header("Accept", request) == "application/json")
    }

    @Test(arguments: ["S256", "plain"])
    func `the verifier is sent with every kind of challenge`(_ method: String) throws {
        #expect(try body(request("pkce: \(method)")).contains("code_verifier="))
    }

    @Test func `where PKCE is off no verifier is sent`() throws {
        #expect(try !body(request("pkce: none")).contains("code_verifier"))
    }

    // MARK: the client

    /// RFC 6749 § 2.3.1 and appendix B: encoded as in a form, then joined by a colon, then in base 64.
    @Test(arguments: [
        ("s6BhdRkqt3", "gX1fBat3bV", "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"), ("a:b", "c:d", "Basic YSUzQWI6YyUzQWQ="),
        ("a b", "c+d/e%f", "Basic YSUyMGI6YyUyQmQlMkZlJTI1Zg=="), ("é", "&=", "Basic JUMzJUE5OiUyNiUzRA=="),
        ("a-._~", "0", "Basic YS0uX346MA=="),
    ])
    func `basic authentication encodes name and secret before it joins them`(
        _ id: String, _ secret: String, _ expected: String
    ) throws {
        let request = try request("clientAuthentication: basic", client: Client(id: id, secret: ClientSecret(secret)))
        #expect(header("Authorization", request) == expected)
        #expect(!body(request).contains("client_"))
    }

    /// RFC 7617 § 2: for servers that do not decode.
    @Test func `raw basic authentication encodes nothing before base 64`() throws {
        let client = Client(id: "a b", secret: ClientSecret("c+d/e%f:é"))
        let request = try request("clientAuthentication: basic_raw", client: client)
        #expect(header("Authorization", request) == "Basic " + Data("a b:c+d/e%f:é".utf8).base64EncodedString())
        #expect(!body(request).contains("client_"))
    }

    @Test func `basic authentication without a secret has an empty one`() throws {
        let request = try request(client: Client(id: "id", secret: nil))
        #expect(header("Authorization", request) == "Basic aWQ6")
    }

    @Test func `post puts name and secret into the body`() throws {
        let request = try request("clientAuthentication: post", client: Client(id: "i d", secret: ClientSecret("s&t")))
        #expect(header("Authorization", request) == nil)
        #expect(body(request).hasSuffix("&client_id=i%20d&client_secret=s%26t"))
    }

    @Test func `post without a secret sends the name alone`() throws {
        let body = try body(request("clientAuthentication: post", client: Client(id: "id", secret: nil)))
        #expect(body.hasSuffix("&client_id=id"))
    }

    @Test func `a public client sends its name and never a secret`() throws {
        let request = try request("clientAuthentication: none")
        #expect(header("Authorization", request) == nil)
        #expect(body(request).hasSuffix("&client_id=id"))
        #expect(!body(request).contains("hunter2"))
    }

    // MARK: how it is written

    @Test func `a JSON body has the same members`() throws {
        let request = try request(
            "tokenRequestFormat: json\nclientAuthentication: post\ntokenParameters: { audience: api }")
        #expect(header("Content-Type", request) == "application/json")
        #expect(
            try JSONDecoder().decode([String: String].self, from: Data(request.body ?? [])) == [
                "grant_type": "authorization_code", "code": "c/ode",
                "redirect_uri": "https://broker.example.com/oauth/callback",
                "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "client_id": "id",
                "client_secret": "hunter2",
                "audience": "api",
            ])
    }

    @Test(arguments: [("https://example.com/token", "?"), ("https://example.com/token?v=1", "&")])
    func `a GET has its members in the query and no body`(_ address: String, _ separator: String) throws {
        let request = try request("tokenMethod: GET", tokenURL: address)
        #expect(request.method == .get)
        #expect(request.body == nil)
        #expect(request.url.hasPrefix("\(address)\(separator)grant_type=authorization_code&code=c%2Fode&"))
        #expect(header("Content-Type", request) == nil)
    }

    // MARK: what the entry adds

    @Test(arguments: [
        "grant_type: x", "code: x", "redirect_uri: x", "code_verifier: x", "client_id: x", "client_secret: x",
    ])
    func `an entry's parameters cannot override what the grant rests on`(_ parameter: String) throws {
        let entry = "clientAuthentication: post\ntokenParameters: { \(parameter) }"
        guard Entry.findings(Entry.yaml(entry)).isEmpty else { return }
        #expect(try body(request(entry)) == body(request("clientAuthentication: post")))
        #expect(try !body(request("tokenRequestFormat: json\n" + entry)).contains("\"x\""))
    }

    /// Azure DevOps calls the code an assertion, Smartsheet wants a hash over it.
    @Test func `the parameters of the exchange may take others' places or leave them out`() throws {
        let body = try body(
            request(
                """
                clientAuthentication: none
                exchangeParameters:
                  grant_type: jwt
                  code: null
                  client_id: null
                  redirect_uri: "{redirectURI}"
                  assertion: "{code}"
                  proof: "{sha256:clientSecret|code}"
                  seen: '{state} {scope} {"a":{}}'
                """))
        let members = Dictionary(try #require(Percent.pairs(body)).map { ($0.name, $0.value) }) { $1 }
        #expect(members["grant_type"] == "jwt")
        #expect(members["code"] == nil && members["client_id"] == nil)
        #expect(members["assertion"] == "c/ode")
        // printf 'hunter2|c/ode' | sha256sum
        #expect(members["proof"] == "ee35474e93ad17a120f074a1b7fa828965b9c5de1f40b5a3167cec75656610d3")
        #expect(members["seen"] == #"state  {"a":{}}"#)
    }

    @Test(arguments: ["{token}", "{refreshToken}", "{acessToken}", "{sha256:code|nothing}"])
    func `what an exchange cannot be filled with is said at start`(_ value: String) {
        let findings = Entry.findings(Entry.yaml("exchangeParameters: { a: '\(value)' }"))
        #expect(findings.count == 1)
        #expect(findings.first?.contains("exchangeParameters.a: found the placeholder {") == true)
    }

    @Test func `a request may stand in the address`() throws {
        let request = try request("tokenRequestFormat: query\nclientAuthentication: post")
        #expect(request.method == .post)
        #expect(request.body == [])
        #expect(request.url.hasPrefix("https://example.com/token?grant_type=authorization_code&code=c%2Fode&"))
        #expect(header("Content-Type", request) == nil)
    }

    @Test func `an entry's parameters are added and encoded`() throws {
        #expect(try body(request("tokenParameters: { audience: 'a&b', x: y }")).hasSuffix("&audience=a%26b&x=y"))
    }

    @Test func `an entry's headers are added`() throws {
        let request = try request("tokenHeaders: { X-Version: '2', accept: text/plain }")
        #expect(header("X-Version", request) == "2")
        #expect(request.headers.filter { $0.name.lowercased() == "accept" }.map(\.value) == ["text/plain"])
    }

    @Test(arguments: ["form", "json"])
    func `a content type of the entry's own takes the place of ours`(_ format: String) throws {
        let request = try request("tokenRequestFormat: \(format)\ntokenHeaders: { content-type: application/own }")
        let types = request.headers.filter { $0.name.lowercased() == "content-type" }.map(\.value)
        #expect(types == ["application/own"])
    }

    @Test func `the address is filled with the flow's parameters`() throws {
        let request = try request(
            "parameters: { tenant: { pattern: '.*' } }", tokenURL: "'https://example.com/{tenant}/token'",
            parameters: ["tenant": "a/b"])
        #expect(request.url == "https://example.com/a%2Fb/token")
    }

    @Test func `an address that can no longer be filled makes no request`() throws {
        let request = try made(
            "parameters: { tenant: { pattern: '.*' } }", tokenURL: "'https://example.com/{tenant}/token'")
        #expect(request == nil)
    }

    private func request(
        _ oauth: String = "", client: Client = Client(id: "id", secret: ClientSecret("hunter2")),
        tokenURL: String = "https://example.com/token", parameters: [String: String] = [:]
    ) throws -> TransportRequest {
        try #require(try made(oauth, client: client, tokenURL: tokenURL, parameters: parameters)).http
    }

    private func made(
        _ oauth: String, client: Client = Client(id: "id", secret: nil), tokenURL: String,
        parameters: [String: String] = [:]
    ) throws -> TokenRequest? {
        let yaml = Entry.yaml(oauth, addresses: "authorizationURL: https://example.com/a\ntokenURL: \(tokenURL)")
        let profile = try #require(try Entry.sourceType(yaml).oauth)
        let provider = Provider(profile, values: parameters, metadata: nil, now: TestTime.now)
        guard let url = provider.token else { return nil }
        let endpoint = TokenEndpoint(
            url, of: provider, as: client, redirectURI: "https://broker.example.com/oauth/callback",
            scopes: profile.defaultScopes(of: nil))
        return TokenRequest(
            .authorizationCode(
                AuthorizationCode("c/ode"), state: State("state"),
                verifier: CodeVerifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")),
            at: endpoint, now: TestTime.now)
    }

    private func body(_ request: TransportRequest) -> String { String(decoding: request.body ?? [], as: UTF8.self) }

    private func header(_ name: String, _ request: TransportRequest) -> String? {
        request.headers.first { $0.name == name }?.value
    }
}
