import Foundation
import Testing

@testable import Sandbox

@Suite struct SimulatorTokenTests {
    typealias Wrong = SimulatorConsentTests.Wrong

    static let wrongs = [
        Wrong("", ["grant_type": nil], "has no grant_type, wanted authorization_code"),
        Wrong("", ["grant_type": "password"], "has grant_type password, wanted authorization_code"),
        Wrong("", ["redirect_uri": nil], "has no redirect_uri"),
        Wrong("", ["redirect_uri": "https://x"], "has another redirect_uri than the consent request"),
        Wrong("", ["client_secret": "wrong"], "has a wrong client_secret"),
        Wrong("", ["client_id": nil], "has a wrong or no client_id"),
        Wrong("", ["client_secret": nil], "has no client secret, wanted client_secret"),
        Wrong(
            #""exchange": { "authentication": "basic" }"#, [:], "has client_secret, wanted a Basic header"),
        Wrong(#""exchange": { "authentication": "hash" }"#, [:], "has client_secret, wanted a hash"),
        Wrong(
            #""exchange": { "authentication": "hash" }"#, ["client_secret": nil, "hash": "00"], "has a wrong hash"),
        Wrong(
            #""exchange": { "authentication": "assertion" }"#, ["client_secret": nil, "client_assertion": "x"],
            "has a wrong client_assertion"),
        Wrong(#""exchange": { "authentication": "none" }"#, [:], "has client_secret, wanted no client secret"),
        Wrong(#""exchange": { "format": "json" }"#, [:], "is form, wanted json"),
        Wrong(#""exchange": { "method": "GET" }"#, [:], "is a POST, wanted GET"),
        Wrong(
            #""exchange": { "headers": { "Notion-Version": "2025-09-03" } }"#, [:],
            "has no header Notion-Version, wanted 2025-09-03"),
        Wrong(#""exchange": { "parameters": { "expiring": "1" } }"#, [:], "has no expiring"),
        Wrong(
            #""exchange": { "parameters": { "expiring": "1" } }"#, ["expiring": "0"], "has another expiring than 1"),
        Wrong(
            #""exchange": { "parameters": { "state": "{state}" } }"#, ["state": "s"], "has another state than {state}"),
        Wrong(#""exchange": { "codeParameter": "assertion" }"#, [:], "has a code, wanted none"),
        Wrong("", ["code_verifier": Visitor.verifier], "has a code_verifier, though there was no code_challenge"),
        Wrong("", ["code": "unknown"], "has an unknown code"),
        Wrong("", ["code": nil], "has no code"),
        Wrong("", ["audience": ""], "has an empty audience"),
        Wrong(#""exchange": { "clientIdParameter": "app_id" }"#, [:], "has a wrong or no app_id"),
        Wrong(#""exchange": { "clientIdParameter": "-" }"#, [:], "has a client_id, wanted none"),
        Wrong(#""exchange": { "certificate": true }"#, [:], "shows no client certificate"),
        Wrong(
            #""exchange": { "headers": { "secret_key": "{clientSecret}" } }"#, [:],
            "has no header secret_key, wanted {clientSecret}"),
        Wrong(
            #""exchange": { "minted": { "issuer": "me", "audience": "them" } }"#, [:],
            "has a client_secret that is no JWT"),
        Wrong(
            #""exchange": { "minted": { "issuer": "me", "audience": "them" } }"#, ["client_secret": "e30.e30.e30"],
            "has a client_secret with another iss than me"),
        Wrong(
            #""exchange": { "minted": { "issuer": "me", "audience": "them" } }"#, ["client_secret": "e30.e30.e30"],
            "has a client_secret with a wrong signature"),
        Wrong(#""exchange": { "authentication": "basic_raw" }"#, [:], "has client_secret, wanted"),
    ]

    @Test(arguments: wrongs)
    func `a wrong token request is refused and told of`(_ wrong: Wrong) async throws {
        let visitor = try SimulatorVisitor(wrong.requirement)
        let code = try await visitor.code()
        var members = FormFields()
        let changes = wrong.changes
        for pair in visitor.exchangeMembers(code).pairs where !changes.contains(where: { $0.0 == pair.name }) {
            members.append(pair.name, pair.value)
        }
        for (name, value) in changes { if let value { members.append(name, value) } }
        let response = await visitor.post(members)
        #expect(response.status == 400 || response.status == 401)
        let sentence = "wiki: token request " + wrong.sentence
        #expect(await visitor.violations().contains { $0.hasPrefix(sentence) })
    }

    @Test func `a Basic header may be taken unencoded alone`() async throws {
        let visitor = try SimulatorVisitor(#""exchange": { "authentication": "basic_raw" }"#)
        let changes: SimulatorVisitor.Members = ["client_id": nil, "client_secret": nil]
        let raw = "Basic " + Data("the:wiki:\(SimulatorVisitor.secret)".utf8).base64EncodedString()
        let first = try await visitor.exchange(visitor.code(), changes, headers: [("Authorization", raw)])
        #expect(first.status == 200)
        let usual = Visitor.basic("the:wiki", SimulatorVisitor.secret)
        let second = try await visitor.exchange(visitor.code(), changes, headers: [("Authorization", usual)])
        #expect(second.status == 401)
    }

    @Test func `text may stand before the JSON`() async throws {
        let visitor = try SimulatorVisitor(#""answer": { "prefix": "&&&" }"#)
        #expect(try await visitor.exchange(visitor.code()).body.hasPrefix("&&&{"))
    }

    @Test func `a refresh may come too early`() async throws {
        let visitor = try SimulatorVisitor(#""refresh": { "notBefore": 30 }"#)
        let refreshed = await visitor.refresh(try #require(await visitor.tokens().refresh))
        #expect(refreshed.status == 400)
        #expect(
            await visitor.violations() == [
                "wiki: refresh request comes too early: the access token is good for more than 30 s"
            ])
    }

    @Test func `a refresh need not say that it is one`() async throws {
        let visitor = try SimulatorVisitor(#""refresh": { "grantType": "-" }"#)
        let refreshed = await visitor.refresh(try #require(await visitor.tokens().refresh), ["grant_type": nil])
        #expect(refreshed.status == 200)
    }

    @Test func `a good token request gets tokens`() async throws {
        let visitor = try SimulatorVisitor(#""consent": { "scope": { "examples": ["a", "b"] } }, "refresh": {}"#)
        let answer = try await visitor.exchange(visitor.code(["scope": "a b"])).json
        #expect(answer["/token_type"] == .string("Bearer"))
        #expect(answer["/expires_in"] == .integer(3600))
        #expect(answer["/scope"] == .string("a b"))
        let issued = try #require(await visitor.simulator.issued("wiki"))
        #expect(answer["/access_token"] == .string(issued.accessToken))
        #expect(answer["/refresh_token"]?.text == issued.refreshToken)
        #expect(issued.expiresAt == SimulatorVisitor.moment + 3600)
        #expect(await visitor.violations() == [])
    }

    /// RFC 6749 § 2.3.1.
    @Test func `a Basic header is form-encoded before it is base64`() async throws {
        let requirement = #""exchange": { "authentication": "basic" }"#
        let visitor = try SimulatorVisitor(requirement)
        let good = Visitor.basic("the:wiki", SimulatorVisitor.secret)
        let changes: SimulatorVisitor.Members = ["client_id": nil, "client_secret": nil]
        let first = try await visitor.exchange(visitor.code(), changes, headers: [("Authorization", good)])
        #expect(first.status == 200)
        #expect(await visitor.violations() == [])
        let raw = "Basic " + Data("the:wiki:\(SimulatorVisitor.secret)".utf8).base64EncodedString()
        let second = try await visitor.exchange(visitor.code(), changes, headers: [("Authorization", raw)])
        #expect(second.status == 401)
        #expect(
            await visitor.violations()
                == ["wiki: token request has a Basic header that is not of this client, form-encoded"])
        let third = try await visitor.exchange(visitor.code(), headers: [("Authorization", good)])
        #expect(third.status == 401)
        #expect(await visitor.violations() == ["wiki: token request proves the client in two ways"])
    }

    @Test func `a hash over secret and code is a proof`() async throws {
        let visitor = try SimulatorVisitor(#""exchange": { "authentication": "hash" }, "refresh": {}"#)
        let code = try await visitor.code()
        let hash = { (text: String) in
            SHA256.digest(Array("\(SimulatorVisitor.secret)|\(text)".utf8))
                .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        let answer = try await visitor.exchange(code, ["client_secret": nil, "hash": hash(code)]).json
        let token = try #require(answer["/refresh_token"]?.text)
        _ = await visitor.refresh(token, ["client_secret": nil, "hash": hash(token)])
        #expect(await visitor.violations() == [])
    }

    @Test func `a code works once`() async throws {
        let visitor = try SimulatorVisitor()
        let code = try await visitor.code()
        #expect(await visitor.exchange(code).status == 200)
        #expect(await visitor.exchange(code).status == 400)
        #expect(await visitor.violations() == ["wiki: token request has a code that was used before"])
    }

    /// RFC 7636 § 4.6.
    @Test func `a challenge asks for its verifier`() async throws {
        let visitor = try SimulatorVisitor(#""consent": { "pkce": "required" }"#)
        let challenge: SimulatorVisitor.Members = [
            "code_challenge": Visitor.challenge, "code_challenge_method": "S256",
        ]
        let good = try await visitor.exchange(visitor.code(challenge), ["code_verifier": Visitor.verifier])
        #expect(good.status == 200)
        #expect(await visitor.violations() == [])
        #expect(try await visitor.exchange(visitor.code(challenge)).status == 400)
        #expect(await visitor.violations() == ["wiki: token request has no code_verifier"])
        let wrong = String(repeating: "a", count: 43)
        #expect(try await visitor.exchange(visitor.code(challenge), ["code_verifier": wrong]).status == 400)
        #expect(
            await visitor.violations()
                == ["wiki: token request has a code_verifier that does not match the code_challenge"])
    }

    @Test func `a code is good where its account lives only`() async throws {
        let requirements = """
            {"wiki": {"places": [
                {"authorization": "https://wiki.example/authorize", "token": "https://wiki.example/token"},
                {"name": "eu", "authorization": "https://wiki.example/authorize", "token": "https://eu.wiki.example/token"}
            ]}}
            """
        let visitor = try SimulatorVisitor(requirements: ProviderRequirements(json: Data(requirements.utf8)))
        #expect(
            try await visitor.exchange(visitor.code(place: "eu"), to: "https://eu.wiki.example/token").status == 200)
        #expect(await visitor.violations() == [])
        #expect(try await visitor.exchange(visitor.code(place: "eu")).status == 400)
        #expect(
            await visitor.violations() == [
                "wiki: token request is at https://wiki.example/token, wanted https://eu.wiki.example/token"
            ])
    }

    @Test func `secrets do not travel in addresses`() async throws {
        let visitor = try SimulatorVisitor()
        let code = try await visitor.code()
        _ = await visitor.exchange(code, to: "https://wiki.example/token?c=" + FormFields.encode(code))
        #expect(await visitor.violations() == ["wiki: token request has c in its address"])
    }

    @Test func `parameters in the query are taken where that is the format`() async throws {
        let visitor = try SimulatorVisitor(#""exchange": { "format": "query" }"#)
        let members = try await visitor.exchangeMembers(visitor.code())
        let request = SimulatedRequest(method: "POST", url: "https://wiki.example/token?" + members.encoded)
        #expect(await visitor.simulator.answer(request).status == 200)
        #expect(await visitor.violations() == [])
    }

    @Test func `JSON is taken where that is the format`() async throws {
        let visitor = try SimulatorVisitor(#""exchange": { "format": "json", "parameters": { "expires_in": "1800" } }"#)
        let pairs = try await visitor.exchangeMembers(visitor.code()).pairs
        var object = Dictionary(pairs.map { ($0.name, JSON.string($0.value)) }) { $1 }
        object["expires_in"] = .integer(1800)
        let request = SimulatedRequest(
            method: "POST", url: "https://wiki.example/token", headers: [("content-type", "application/json")],
            body: Array(try JSONEncoder().encode(object)))
        #expect(await visitor.simulator.answer(request).status == 200)
        #expect(await visitor.violations() == [])
    }

    @Test func `the answer is form-encoded unless JSON is asked for`() async throws {
        let visitor = try SimulatorVisitor(#""answer": { "encoding": "formUnlessAsked" }"#)
        let form = try await visitor.exchange(visitor.code())
        #expect(FormFields(decoding: form.body)["token_type"] == "Bearer")
        let json = try await visitor.exchange(visitor.code(), headers: [("Accept", "application/json")])
        #expect(try json.json["/token_type"] == .string("Bearer"))
    }

    @Test(arguments: [("status", 400, JSON?.none), ("ok", 200, nil), ("okFalse", 200, .bool(false))])
    func `a refusal has the provider's shape`(_ failure: String, _ status: Int, _ ok: JSON?) async throws {
        let visitor = try SimulatorVisitor(#""answer": { "failure": "\#(failure)" }"#)
        let response = await visitor.exchange("unknown")
        #expect(response.status == status)
        #expect(try response.json["/error"] == .string("invalid_grant"))
        #expect(try response.json["/ok"] == ok)
    }

    @Test func `an answer has the shape of its template`() async throws {
        let body =
            #"{ "user": { "token": "{accessToken}", "until": "{end}", "at": "{issuedAt}" }, "none": "{refreshToken}" }"#
        let visitor = try SimulatorVisitor(#""answer": { "body": \#(body) }"#)
        let answer = try await visitor.exchange(visitor.code()).json
        #expect(answer["/user/token"]?.text == (await visitor.simulator.issued("wiki"))?.accessToken)
        #expect(answer["/user/until"] == .integer(1_790_003_600))
        #expect(answer["/user/at"] == .string("1790000000000"))
        #expect(answer["/none"] == nil)
    }

    @Test func `a lasting account's token has neither end nor refresh token`() async throws {
        let visitor = try SimulatorVisitor(#""refresh": {}"#, place: #", "lasting": true"#)
        let answer = try await visitor.exchange(visitor.code()).json
        #expect(answer["/access_token"] != nil)
        #expect(answer["/refresh_token"] == nil)
        #expect(answer["/expires_in"] == nil)
    }
}
