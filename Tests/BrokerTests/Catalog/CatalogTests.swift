import Catalog
import Formats
import Testing

@testable import Broker

@Suite struct CatalogTests {
    @Test func `an entry with two addresses has the defaults of the protocol`() throws {
        let sourceType = try Entry.sourceType(Entry.yaml())
        #expect(sourceType.displayName == "Example")
        #expect(sourceType.category == "wiki")
        #expect(sourceType.provider == "example")
        #expect(sourceType.documentation == nil)
        let profile = try #require(sourceType.oauth)
        #expect(profile.issuer == nil)
        #expect(!profile.requireIssuer)
        #expect(profile.scopes == [])
        #expect(profile.scopeSeparator == " ")
        #expect(profile.scopeParameter == "scope")
        #expect(profile.authorizationParameters.isEmpty)
        #expect(profile.tokenParameters.isEmpty)
        #expect(profile.tokenHeaders.isEmpty)
        #expect(profile.clientAuthentication == .basic)
        #expect(profile.tokenRequestFormat == .form)
        #expect(profile.tokenMethod == .post)
        #expect(profile.proofKey == .s256)
        #expect(profile.refreshToken == .optional)
        #expect(!profile.cutsOpener)
        #expect(profile.parameters.isEmpty)
        #expect(profile.extras.callback.isEmpty && profile.extras.token.isEmpty)
    }

    @Test func `every member of the format is read`() throws {
        let profile = try Entry.profile(
            """
            refreshURL: https://example.com/refresh
            revocationURL: https://example.com/revoke
            issuer: https://example.com
            requireIssuer: true
            discovery: false
            openid: false
            scopes: [a, "b:c"]
            alwaysScopes: [d]
            scopeSeparator: ","
            scopeParameter: user_scope
            authorizationParameters: { access_type: offline }
            tokenParameters: { audience: api }
            tokenHeaders: { X-Version: "2" }
            clientAuthentication: post
            tokenRequestFormat: json
            tokenMethod: GET
            pkce: plain
            refreshToken: never
            cutsOpener: true
            parameters:
              b: { pattern: "^b$", description: Second, required: true }
              a: { pattern: "^a$", default: a }
            response: { accessToken: /t/a, expiresAt: /at, failureUnless: { pointer: /ok, equals: true } }
            extras: { callback: [realmId], token: { url: /instance } }
            """)
        #expect(profile.issuer == "https://example.com")
        #expect(profile.requireIssuer)
        #expect(profile.scopes == ["a", "b:c"])
        #expect(profile.alwaysScopes == ["d"])
        #expect(profile.defaultScopes(of: nil) == ["a", "b:c", "d"])
        #expect(profile.scopeSeparator == ",")
        #expect(profile.scopeParameter == "user_scope")
        #expect(profile.authorizationParameters.map { [$0.name, $0.value?.text] } == [["access_type", "offline"]])
        #expect(profile.tokenParameters.map { [$0.name, $0.value?.filled(with: [:])] } == [["audience", "api"]])
        #expect(profile.tokenHeaders.map { [$0.name, $0.value.text] } == [["X-Version", "2"]])
        #expect(profile.clientAuthentication == .post)
        #expect(profile.tokenRequestFormat == .json)
        #expect(profile.tokenMethod == .get)
        #expect(profile.proofKey == .plain)
        #expect(profile.refreshToken == .never)
        #expect(profile.cutsOpener)
        #expect(profile.parameters.map(\.name) == ["a", "b"])
        #expect(profile.parameters.map(\.required) == [false, true])
        #expect(profile.parameters.map(\.defaultValue) == ["a", nil])
        #expect(profile.response.accessToken == JSONPointer("/t/a"))
        #expect(profile.response.refreshToken == .member("refresh_token"))
        #expect(profile.response.expiresAt == JSONPointer("/at"))
        #expect(profile.response.failureUnless?.equals == .bool(true))
        #expect(profile.extras.callback.map(\.name) == ["realmId"])
        #expect(profile.extras.token.map(\.name) == ["url"])
        #expect(profile.extras.token.map(\.pointer) == [JSONPointer("/instance")])
    }

    @Test(
        arguments: [
            ("true", .bool(true)), ("\"true\"", .string("true")), ("1", .number(1)), ("\"1\"", .string("1")),
            ("success", .string("success")),
        ] as [(String, JSONValue)])
    func `a condition compares with what YAML says it is`(_ written: String, _ value: JSONValue) throws {
        let profile = try Entry.profile("response: { failureUnless: { pointer: /ok, equals: \(written) } }")
        #expect(profile.response.failureUnless?.equals == value)
    }

    @Test(arguments: [
        "scopes: [offline_access]", "scopes: [refresh_token]", "alwaysScopes: [offline_access]",
        "authorizationParameters: { access_type: offline }", "authorizationParameters: { token_access_type: offline }",
        "authorizationParameters: { duration: permanent }",
    ])
    func `where offline access is asked for a refresh token is expected`(_ member: String) throws {
        #expect(try Entry.profile(member).refreshToken == .expected)
        #expect(try Entry.profile("\(member)\nrefreshToken: optional").refreshToken == .optional)
    }

    @Test func `an entry without oauth has none`() throws {
        #expect(try Entry.sourceType("sourceTypes: { example: { displayName: E, category: c } }").oauth == nil)
    }

    @Test func `a file adds source types`() {
        let (catalog, findings) = Entry.overBuiltIn(Entry.yaml())
        #expect(findings == [])
        #expect(catalog.sourceTypes.count > 100)
        #expect(SourceType.ID("example").flatMap { catalog[$0] } != nil)
    }

    @Test func `a file replaces an entry whole`() throws {
        let yaml = "sourceTypes: { google_drive: { displayName: Mine, category: own } }"
        let (catalog, findings) = Entry.overBuiltIn(yaml)
        #expect(findings == [])
        let replaced = try #require(SourceType.ID("google_drive").flatMap { catalog[$0] })
        #expect(replaced.displayName == "Mine")
        #expect(replaced.provider == "google_drive")
        #expect(replaced.oauth == nil)
        #expect(catalog.sourceTypes.filter { $0.id.description == "google_drive" }.count == 1)
    }

    @Test func `of two files the later one counts`() throws {
        let (catalog, findings) = Entry.load([
            "sourceTypes: { example: { displayName: First, category: a } }",
            "sourceTypes: { example: { displayName: Second, category: b } }",
        ])
        #expect(findings == [])
        #expect(SourceType.ID("example").flatMap { catalog[$0] }?.displayName == "Second")
    }

    @Test func `an entry with a mistake does not replace the sound one`() throws {
        let (catalog, findings) = Entry.overBuiltIn(
            "sourceTypes: { google_drive: { displayName: Mine, category: own, provider: 'A B' } }")
        #expect(findings.count == 1)
        #expect(SourceType.ID("google_drive").flatMap { catalog[$0] }?.displayName == "Google Drive")
    }

    @Test func `an http address needs the operator's word`() throws {
        let addresses = "authorizationURL: http://127.0.0.1:1/authorize\ntokenURL: http://127.0.0.1:1/token"
        #expect(Entry.findings(Entry.yaml(addresses: addresses)).count == 2)
        #expect(Entry.findings(Entry.yaml(addresses: addresses), allowInsecure: true) == [])
    }

    @Test func `a client name is a source type or its provider`() {
        let (catalog, _) = Entry.load([Entry.yaml(more: "displayName: E\ncategory: c\nprovider: shared")])
        #expect(catalog.clientNames.isSuperset(of: ["example", "shared"]))
    }
}
