import Foundation
import Testing

@testable import Sandbox

@Suite struct SimulatorConsentTests {
    /// A requirement, a request that departs from it, and the sentence of the simulator about that.
    struct Wrong: Sendable, CustomTestStringConvertible {
        let requirement: String
        let changes: [(String, String?)]
        let sentence: String
        var testDescription: String { sentence }

        init(_ requirement: String, _ changes: KeyValuePairs<String, String?>, _ sentence: String) {
            self.requirement = requirement
            self.changes = changes.map { ($0.key, $0.value) }
            self.sentence = sentence
        }
    }

    static let wrongs = [
        Wrong("", ["response_type": nil], "has no response_type, wanted code"),
        Wrong("", ["response_type": "token"], "has response_type token, wanted code"),
        Wrong(#""consent": { "responseType": "-" }"#, [:], "has response_type code, wanted none"),
        Wrong("", ["redirect_uri": nil], "has no redirect_uri"),
        Wrong("", ["redirect_uri": callback + "/"], "has a redirect_uri that is not registered"),
        Wrong("", ["state": nil], "has no state"),
        Wrong("", ["prompt": ""], "has an empty prompt"),
        Wrong(
            #""consent": { "parameters": { "access_type": "offline" } }"#, [:], "has no access_type, wanted offline"),
        Wrong(
            #""consent": { "parameters": { "access_type": "offline" } }"#, ["access_type": "online"],
            "has access_type online, wanted offline"),
        Wrong("", ["scope": "read"], "has scope, wanted none"),
        Wrong(#""consent": { "scope": { "examples": ["read"] } }"#, [:], "has no scope"),
        Wrong(
            #""consent": { "scope": { "examples": ["read"] } }"#, ["scope": "read write"],
            "has the scope write, which is not known"),
        Wrong(
            #""consent": { "scope": { "examples": ["a", "b"], "separator": "," } }"#, ["scope": "a b"],
            "has scope a b, wanted , between scopes"),
        Wrong(
            #""consent": { "scope": { "examples": ["a", "b"] } }"#, ["scope": "a,b"],
            "has scope a,b, wanted spaces between scopes"),
        Wrong(
            #""consent": { "scope": { "examples": ["a"], "parameter": "user_scope" } }"#,
            ["scope": "a", "user_scope": "a"], "has scope, wanted user_scope"),
        Wrong(
            #""consent": { "scope": { "examples": ["a"], "always": "offline_access" } }"#, ["scope": "a"],
            "asks for a without offline_access, so that there would be no refresh token"),
        Wrong(
            #""consent": { "pkce": "required" }"#, [:], "has no code_challenge, which the provider requires"),
        Wrong(
            #""consent": { "pkce": "verified" }"#, [:], "has no code_challenge, though the provider verifies it"),
        Wrong(
            #""consent": { "pkce": "refused" }"#,
            ["code_challenge": Visitor.challenge, "code_challenge_method": "S256"],
            "has a code_challenge, which the provider does not know"),
        Wrong(
            "", ["code_challenge": Visitor.challenge, "code_challenge_method": "s256"],
            "has code_challenge_method s256, wanted S256"),
        Wrong(
            "", ["code_challenge": "short", "code_challenge_method": "S256"],
            "has a code_challenge that is no SHA-256"),
        Wrong(#""consent": { "names": { "client_id": "-" } }"#, [:], "has client_id, wanted none"),
        Wrong(
            #""consent": { "names": { "redirect_uri": "redirect_url" } }"#, ["redirect_url": callback],
            "has redirect_uri, wanted redirect_url"),
        Wrong(
            #""consent": { "names": { "redirect_uri": "redirect_url" } }"#, ["redirect_uri": nil], "has no redirect_url"
        ),
        Wrong(
            #""consent": { "names": { "client_id": "app_id" } }"#, ["app_id": "the:wiki"],
            "has client_id, wanted app_id"),
        Wrong(#""consent": { "nonce": true }"#, [:], "has no nonce"),
        Wrong(#""consent": { "fragment": "wiki" }"#, [:], "has no fragment, wanted wiki"),
        Wrong(
            #""consent": { "redirectAlias": "Acme-1" }"#, [:], "has a redirect_uri that is not registered"),
    ]

    @Test(arguments: wrongs)
    func `a wrong consent request is refused and told of`(_ wrong: Wrong) async throws {
        let visitor = try SimulatorVisitor(wrong.requirement)
        let good: [(String, String?)] = [
            ("response_type", "code"), ("client_id", "the:wiki"), ("redirect_uri", callback), ("state", "s"),
        ]
        var query = FormFields()
        for (name, value) in good where !wrong.changes.contains(where: { $0.0 == name }) {
            if let value { query.append(name, value) }
        }
        for (name, value) in wrong.changes { if let value { query.append(name, value) } }
        let response = await visitor.simulator.answer(
            SimulatedRequest(method: "GET", url: "https://wiki.example/authorize?\(query.encoded)"))
        #expect(response.status == 400)
        #expect(await visitor.violations() == ["wiki: consent request " + wrong.sentence])
    }

    @Test func `a good consent request is sent back with a code and its state`() async throws {
        let visitor = try SimulatorVisitor()
        let response = await visitor.consent()
        #expect(response.status == 302)
        #expect(response.sentBack["state"] == "st&te=")
        #expect(response.sentBack["code"] != nil)
        #expect(await visitor.violations() == [])
    }

    @Test func `an address that no requirement names is told of`() async throws {
        let visitor = try SimulatorVisitor()
        #expect(await visitor.consent(at: "https://wiki.example/authorise").status == 404)
        #expect(await visitor.consent(at: "https://wiki.example/authorize/").status == 404)
        #expect(await visitor.consent(at: "http://wiki.example/authorize").status == 404)
        #expect(
            await visitor.violations() == [
                "nobody: nothing lives at GET https://wiki.example/authorise",
                "nobody: nothing lives at GET https://wiki.example/authorize/",
                "nobody: nothing lives at GET http://wiki.example/authorize",
            ])
    }

    @Test func `a scope may be left out where apps can set it`() async throws {
        let visitor = try SimulatorVisitor(
            #""consent": { "scope": { "examples": ["read"], "presence": "optional" } }"#)
        #expect(await visitor.consent().status == 302)
        #expect(await visitor.consent(["scope": "write"]).status == 400)
    }

    /// What a browser keeps to itself comes in a header here.
    @Test func `a fragment with a slash has the parameters behind it`() async throws {
        let visitor = try SimulatorVisitor(#""consent": { "fragment": "/consent", "codeParameter": "auth_code" }"#)
        let parameters = "response_type=code&client_id=the:wiki&redirect_uri=\(FormFields.encode(callback))&state=s"
        let ask = { (fragment: String) in
            await visitor.simulator.answer(
                SimulatedRequest(
                    method: "GET", url: "https://wiki.example/authorize",
                    headers: [("Simulator-Fragment", fragment)]))
        }
        let response = await ask("/consent?\(parameters)")
        #expect(response.sentBack["auth_code"] != nil && response.sentBack["code"] == nil)
        #expect(await visitor.violations() == [])
        #expect(await ask("/other?\(parameters)").status == 400)
        #expect(await visitor.violations() == ["wiki: consent request has the fragment /other, wanted /consent"])
        #expect(await ask("/consent").status == 400)
        #expect(await visitor.violations() == ["wiki: consent request has a wrong or no client_id"])
    }

    @Test func `a client may be named in the path`() async throws {
        let json = """
            {"wiki": {
                "places": [{
                    "authorization": "https://wiki.example/{clientId}/authorize", "token": "https://wiki.example/token"
                }],
                "consent": { "names": { "client_id": "-" } }
            }}
            """
        let other = try SimulatorVisitor(requirements: ProviderRequirements(json: Data(json.utf8)))
        let response = await other.consent(["client_id": nil], at: "https://wiki.example/the%3Awiki/authorize")
        #expect(response.status == 302)
        #expect(await other.consent(["client_id": nil], at: "https://wiki.example/another/authorize").status == 400)
    }

    @Test func `an unknown client is told of`() async throws {
        let visitor = try SimulatorVisitor()
        #expect(await visitor.consent(["client_id": "other"]).status == 400)
        #expect(await visitor.violations() == ["wiki: consent request has a wrong or no client_id"])
    }

    @Test func `the callback brings what the place adds to it`() async throws {
        let visitor = try SimulatorVisitor(place: #", "callback": { "realmId": "123", "at": "{now}" }"#)
        let members = await visitor.consent().sentBack
        #expect(members["realmId"] == "123")
        #expect(members["at"] == "1790000000")
    }

    /// Shopify's way: hex HMAC-SHA-256 over the sorted rest of the query.
    @Test func `a signed callback is signed over its other members`() async throws {
        let visitor = try SimulatorVisitor(
            #""consent": { "signature": "hmac" }"#, place: #", "callback": { "shop": "acme.example" }"#)
        let members = await visitor.consent(["state": "s"]).sentBack
        let code = try #require(members["code"])
        let message = "code=\(code)&shop=acme.example&state=s"
        let mac = HMACSHA256.code(for: Array(message.utf8), key: Array(SimulatorVisitor.secret.utf8))
        #expect(members["hmac"] == mac.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    }

    /// RFC 4231 § 4.3, test case 2.
    @Test func `the HMAC matches RFC 4231`() {
        let code = HMACSHA256.code(for: Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
        #expect(code.prefix(8) == [0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e])
        #expect(code.suffix(4) == [0x64, 0xec, 0x38, 0x43])
    }

    @Test func `a misspelt requirement is a mistake`() {
        #expect(throws: ProviderRequirements.UnknownMember.self) {
            try SimulatorVisitor(#""consent": { "pkcee": "required" }"#)
        }
        #expect(throws: ProviderRequirements.UnknownMember.self) {
            try SimulatorVisitor(#""revocations": [{ "where": "form" }]"#)
        }
    }
}
