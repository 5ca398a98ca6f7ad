import Formats
import Secrets
import Testing

@testable import Broker
@testable import Catalog

/// The keys for what few providers need; that they do what they say is proven by `KeyTests`.
@Suite struct PeculiarityTests {
    @Test(arguments: [
        ("unverified: [pkce, pkse]", "unverified: found \"pkse\", wanted "),
        (
            "authorizationNames: { state: s }",
            "authorizationNames.state: found a name, wanted client_id or redirect_uri"
        ),
        ("authorizationNames: { client_id: '' }", "authorizationNames.client_id: found \"\", wanted a name"),
        ("authorizationNames: { client_id: state }", "authorizationNames.client_id: found \"state\", wanted a name"),
        (
            "authorizationNames: { client_id: a }\nauthorizationParameters: { a: b }",
            "authorizationNames.client_id: found \"a\", wanted a name"
        ),
        (
            "authorizationNames: { client_id: a }\npushedAuthorizationURL: https://example.com/par",
            "authorizationNames: found both this and pushedAuthorizationURL"
        ),
        ("callbackCode: state", "callbackCode: found \"state\", wanted the callback parameter with the code"),
        ("callbackCode: ''", "callbackCode: found \"\""),
        ("callbackCode: authCode\nextras: { callback: [authCode] }", "extras.callback: found \"authCode\""),
        ("authorizationParameters: { a: '{b}' }", "authorizationParameters.a: found the placeholder {b}"),
        ("mintedSecret: { issuer: me }", "mintedSecret.audience: found nothing"),
        (
            "clientAuthentication: none\nmintedSecret: { issuer: me, audience: them }",
            "clientAuthentication: found \"none\", wanted post, basic or basic_raw"
        ),
        (
            "mintedSecret: { issuer: '{a}', audience: them }\nparameters: { a: { pattern: '^a$' } }",
            "parameters.a: found a parameter of callers in mintedSecret"
        ),
        ("redirectURI: alias", "redirectURI: found \"alias\", wanted a parameter such as {ruName}"),
        ("redirectURI: '{a}'", "redirectURI: found the placeholder {a}"),
        ("refreshNotBefore: -1", "refreshNotBefore: found \"-1\""),
        ("learned: { a: { pattern: '^a$' } }", "learned.a.callback: found nothing, wanted one of the two"),
        (
            "learned: { a: { callback: a, answer: /a, pattern: '^a$' } }",
            "learned.a.callback: found both this and answer"
        ),
        ("learned: { a: { callback: a } }", "learned.a.pattern: found nothing"),
        ("learned: { a: { callback: code, pattern: '^a$' } }", "learned.a.callback: found \"code\""),
        (
            "learned: { a: { callback: a, pattern: '^a$' } }\nparameters: { a: { pattern: '^a$' } }",
            "learned.a: found a parameter of the entry"
        ),
        (
            "learned: { a: { answer: /a, pattern: '^a$' } }\nexchangeParameters: { b: '{a}' }",
            "exchangeParameters.b: found the placeholder {a}"
        ),
        (
            "learned: { a: { answer: /a, pattern: '^.+$' } }\nrefreshURL: 'https://{a}/token'",
            "learned.a.pattern: found \"^.+$\", wanted one label under a domain of the vendor"
        ),
        ("refreshURL: 'https://example.com/#/token'", "refreshURL: found \"https://example.com/#/token\""),
        (
            "revocationURL: https://example.com/r\nrevocation: { token: bearer, authentication: basic }",
            "revocation.authentication: found \"basic\", wanted none, or post"
        ),
    ])
    func `a mistake is told with its key`(_ oauth: String, _ finding: String) throws {
        let findings = Entry.findings(Entry.yaml(oauth))
        #expect(findings.count == 1 && findings[0].contains("oauth.\(finding)"), "\(findings)")
    }

    @Test(arguments: ["#", "#a b", "#{a}", "#a?b", "##"])
    func `a fragment is of plain words`(_ fragment: String) {
        let addresses = "authorizationURL: \"https://example.com/a\(fragment)\"\ntokenURL: https://example.com/t"
        #expect(Entry.findings(Entry.yaml(addresses: addresses)).count == 1)
    }

    @Test func `with bearer, the client's own proof is left out or in the form`() throws {
        let address = "revocationURL: https://example.com/r"
        #expect(try Entry.profile("\(address)\nrevocation: { token: bearer }").revocation.authentication == .none)
        let post = try Entry.profile("\(address)\nrevocation: { token: bearer, authentication: post }")
        #expect(post.revocation.authentication == .post)
    }

    @Test func `a minted secret asks for a key and for no secret`() throws {
        let profile = try Entry.profile("clientAuthentication: post\nmintedSecret: { issuer: me, audience: them }")
        #expect(profile.needsKey && !profile.needsSecret)
    }

    @Test func `a secret in a header is one to keep`() throws {
        let header = "clientAuthentication: none\ntokenHeaders: { key: '{clientSecret}' }"
        #expect(try Entry.profile(header).needsSecret)
        #expect(try !Entry.profile("clientAuthentication: none\ntokenHeaders: { key: '{clientId}' }").needsSecret)
    }

    @Test func `a certificate is asked for beside a secret`() throws {
        let profile = try Entry.profile("clientCertificate: true")
        #expect(profile.needsCertificate && profile.needsSecret)
        #expect(try !Entry.profile().needsCertificate)
    }

    @Test func `what nobody confirmed is told once each`() throws {
        #expect(try Entry.profile("unverified: [pkce, scopes, pkce]").unverified == [.pkce, .scopes])
    }

    // MARK: learned values

    private static let learned = """
        learned:
          device: { callback: device_id, pattern: "^[a-z]+$" }
          host: { answer: /endpoint, prefix: "https://", pattern: "^[a-z]+\\\\.example\\\\.com$" }
          other: { answer: /other, pattern: "^[a-z]+$", required: false }
        refreshURL: "https://{host}/token"
        refreshParameters: { device: "{device}" }
        """

    @Test func `a refresh wants what it cannot do without`() throws {
        let profile = try Entry.profile(Self.learned)
        let client = Client(id: "client", secret: nil)
        let values = { (given: [String: String]) throws(AuthorizeError) in
            try profile.values(given, client: client, needing: profile.learnedForRefresh)
        }
        let good = ["device": "phone", "host": "https://a.example.com"]
        #expect(try values(good) == ["device": "phone", "host": "a.example.com"])
        #expect(try values(good.merging(["other": "x"]) { $1 })["other"] == "x")
        #expect(throws: AuthorizeError.parameterMissing(name: "host")) { try values(["device": "phone"]) }
        #expect(throws: AuthorizeError.self) { try values(good.merging(["host": "https://evil.example"]) { $1 }) }
        #expect(throws: AuthorizeError.self) { try values(good.merging(["host": "a.example.com"]) { $1 }) }
    }

    @Test func `a flow takes none of it from its caller`() throws {
        let profile = try Entry.profile(Self.learned)
        #expect(throws: AuthorizeError.parameterUnknown(name: "device", known: [])) {
            try profile.values(["device": "phone"])
        }
        #expect(try profile.values([:]) == [:])
    }

    @Test func `a revocation wants nothing that it does not send`() throws {
        let profile = try Entry.profile(Self.learned)
        #expect(profile.learnedForRevocation.isEmpty)
        let client = Client(id: "client", secret: nil)
        #expect(try profile.values([:], client: client, needing: profile.learnedForRevocation) == [:])
    }

    @Test func `what was not told is warned of where it is needed`() throws {
        let profile = try Entry.profile(Self.learned)
        func credentials(_ answer: String, _ told: [String: String] = ["device": "phone"]) throws -> Credentials {
            let response = ProviderResponse(status: 200, body: Array(answer.utf8))
            let tokens = try TokenResponse(response, shape: profile.response, now: TestTime.now)
            return profile.credentials(tokens, callback: nil, asked: [], told: told)
        }
        let whole = try credentials(#"{"access_token":"a","expires_in":1,"endpoint":"https://a.example.com"}"#)
        #expect(!whole.warnings.contains(.extrasMissing) && whole.extras.keys.sorted() == ["device", "host"])
        let lacking = try credentials(#"{"access_token":"a","expires_in":1}"#)
        #expect(lacking.warnings.contains(.extrasMissing))
        let hostile = try credentials(#"{"access_token":"a","expires_in":1,"endpoint":"https://evil.example"}"#)
        #expect(hostile.warnings.contains(.extraRefused) && hostile.extras["host"] == nil)
        let kept = try credentials(
            #"{"access_token":"a","expires_in":1}"#, ["device": "phone", "host": "a.example.com"])
        #expect(kept.extras["host"]?.expose { $0 } == .string("https://a.example.com"))
    }
}
