import Broker
import Catalog
import Formats
import Foundation
import Secrets
import Testing

@Suite struct AuthorizeTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    /// RFC 6749 § 4.1.1 and RFC 7636 § 4.3.
    @Test func `the address has what a code and PKCE need`() async throws {
        let begun = try await installation.begin()
        #expect(begun.url.hasPrefix("https://provider.example/authorize?"))
        #expect(begun["response_type"] == "code")
        #expect(begun["client_id"] == "client")
        #expect(begun["redirect_uri"] == "https://broker.example.com/oauth/callback/example")
        #expect(begun["scope"] == "read")
        #expect(begun["code_challenge_method"] == "S256")
        #expect(begun["code_challenge"]?.utf8.count == 43)
        #expect(!begun.url.contains("hunter2"))
    }

    @Test func `a state is 32 random bytes in 43 characters, new each time, and names its flow`() async throws {
        var states: Set<String> = []
        for _ in 0..<50 {
            let begun = try await installation.begin()
            #expect(Base64URL.decode(begun.state)?.count == 32)
            #expect(begun.flow == FlowID(of: State(begun.state)))
            states.insert(begun.state)
        }
        #expect(states.count == 50)
    }

    @Test func `a flow lives as long as the settings say`() async throws {
        #expect(try await installation.begin().authorization.expiresAt == Samples.now.adding(seconds: 600))
    }

    @Test func `a flow that began is kept and reported`() async throws {
        let begun = try await installation.begin()
        #expect(try await installation.store.outcome(of: begun.flow)?.status == .started)
        #expect(installation.events.kinds == ["flow.started"])
        #expect(installation.events.all.first?.flow == begun.flow)
        #expect(installation.events.all.first?.tenant?.description == "acme")
    }

    @Test func `parameters fill the address and stay with the flow`() async throws {
        let begun = try await installation.begin("subdomain", parameters: ["subdomain": "acme"])
        #expect(begun.url.hasPrefix("https://acme.provider.example/authorize?"))
        #expect(try await installation.store.outcome(of: begun.flow)?.flow.parameters == ["subdomain": "acme"])
    }

    @Test(
        arguments: [
            ("missing", .unknownSourceType), ("Example", .unknownSourceType), ("example ", .unknownSourceType),
            ("", .unknownSourceType),
            ("' OR 1=1 --", .unknownSourceType),
        ] as [(String, AuthorizeError)])
    func `an unknown source type is told`(_ sourceType: String, _ error: AuthorizeError) async {
        await #expect(throws: error) { try await installation.begin(sourceType) }
    }

    @Test func `a source type without OAuth or without client is told`() async throws {
        let file = try #require(SourceType.ID("file"))
        let unconfigured = try #require(SourceType.ID("unconfigured"))
        await #expect(throws: AuthorizeError.withoutOAuth(file)) { try await installation.begin("file") }
        await #expect(throws: AuthorizeError.notConfigured(unconfigured)) {
            try await installation.begin("unconfigured")
        }
    }

    @Test func `what is refused keeps nothing`() async throws {
        await #expect(throws: AuthorizeError.parameterMissing(name: "subdomain")) {
            try await installation.begin("subdomain")
        }
        #expect(installation.events.kinds == [])
    }

    // MARK: where the flow may go

    /// RFC 7636 appendix B.
    private static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    /// RFC 9700 § 4.7: the key must be of no use in a browser that did not begin.
    @Test func `a return address needs an exchange challenge`() async throws {
        await #expect(throws: AuthorizeError.returnURLWithoutChallenge) {
            try await installation.begin(returnURL: "https://app.example.com/done")
        }
    }

    @Test(arguments: ["https://app.example.com/done?a=b", "https://APP.example.com:443/", "https://second.example.com"])
    func `a return address at a frontend's origin is taken`(_ address: String) async throws {
        let begun = try await installation.begin(verifier: Self.verifier, returnURL: address)
        let kept = try await installation.store.outcome(of: begun.flow)?.flow.returnURL
        #expect(kept?.text == StrictURL(address)?.text)
    }

    /// RFC 9700 § 4.11.1.
    @Test(arguments: [
        "https://evil.example/", "http://app.example.com/", "https://app.example.com:8443/",
        "https://app.example.com.evil.example/",
        "https://xapp.example.com/", "https://broker.example.com/",
    ])
    func `a return address elsewhere is refused by its origin`(_ address: String) async throws {
        await #expect(throws: AuthorizeError.returnURLNotAllowed) {
            try await installation.begin(verifier: Self.verifier, returnURL: address)
        }
    }

    @Test(arguments: [
        "https://app.example.com/#", "https://app.example.com/#x", "https://user@app.example.com/",
        "https://app.example.com@evil.example/",
        "https://app.example.com\\@evil.example", "//app.example.com", "/done", "", "javascript:alert(1)",
        "com.example.app://user@host/", "com.example.app:/#x", "data:text/html,x", "Com.example.app:/",
        "https://app.example.com/\n",
        "https://app.example.com:/", "https:/app.example.com/", "https://app.example.com./",
    ])
    func `a return address that is not plainly one is refused`(_ address: String) async {
        await #expect(throws: AuthorizeError.returnURLMalformed) {
            try await installation.begin(verifier: Self.verifier, returnURL: address)
        }
    }

    @Test(arguments: [nil, "https://app.example.com", "https://second.example.com"])
    func `the flow talks to the caller's origin, or to the first`(_ origin: String?) async throws {
        var request = AuthorizeRequest(tenant: try Samples.tenant(), sourceType: "example")
        request.frontendOrigin = origin
        let authorization = try await installation.broker.authorize(request)
        let kept = try await installation.broker.frontendOrigin(of: authorization.flow)
        #expect(kept?.description == origin ?? "https://app.example.com")
    }

    @Test(arguments: [
        "", "null", "*", "https://evil.example", "https://app.example.com/", "https://APP.example.com",
        "https://app.example.com:443",
        "http://app.example.com", "https://app.example.com.evil.example",
    ])
    func `another origin is refused`(_ origin: String) async throws {
        var request = AuthorizeRequest(tenant: try Samples.tenant(), sourceType: "example")
        request.frontendOrigin = origin
        await #expect(throws: AuthorizeError.frontendOriginNotAllowed) {
            try await installation.broker.authorize(request)
        }
    }

    @Test(arguments: ["", "short", String(repeating: "a", count: 64), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM="])
    func `a challenge of another shape is refused`(_ challenge: String) async throws {
        var request = AuthorizeRequest(tenant: try Samples.tenant(), sourceType: "example")
        request.exchangeChallenge = challenge
        await #expect(throws: AuthorizeError.exchangeChallengeMalformed) {
            try await installation.broker.authorize(request)
        }
    }

    @Test func `a store that is closed is told`() async throws {
        await installation.store.close()
        await #expect(throws: AuthorizeError.store(.closed)) { try await installation.begin() }
    }
}
