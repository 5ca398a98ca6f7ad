import Foundation
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Sandbox

@Suite struct SimulatorGrantTests {
    // MARK: refresh

    @Test func `a rotated refresh token is refused afterwards`() async throws {
        let visitor = try SimulatorVisitor(#""refresh": { "rotation": "rotates" }"#)
        let old = try #require(try await visitor.tokens().refresh)
        let new = try #require(try await visitor.refresh(old).json["/refresh_token"]?.text)
        #expect(new != old)
        #expect(await visitor.refresh(new).status == 200)
        #expect(await visitor.violations() == [])
        #expect(await visitor.refresh(old).status == 400)
        #expect(
            await visitor.violations() == ["wiki: refresh request has a refresh token that was replaced or revoked"])
    }

    @Test func `a kept refresh token is not sent again`() async throws {
        let visitor = try SimulatorVisitor(#""refresh": { "rotation": "kept" }"#)
        let token = try #require(try await visitor.tokens().refresh)
        for _ in 1...2 {
            let answer = try await visitor.refresh(token).json
            #expect(answer["/refresh_token"] == nil)
            #expect(answer["/access_token"] != nil)
        }
        #expect(await visitor.violations() == [])
    }

    @Test func `an old refresh token may linger`() async throws {
        let visitor = try SimulatorVisitor(#""refresh": { "rotation": "lingers" }"#)
        let old = try #require(try await visitor.tokens().refresh)
        #expect(try await visitor.refresh(old).json["/refresh_token"] != nil)
        #expect(await visitor.refresh(old).status == 200)
        #expect(await visitor.violations() == [])
    }

    @Test func `every second refresh brings another token where rotation is not known`() async throws {
        let visitor = try SimulatorVisitor(#""refresh": {}"#)
        let token = try #require(try await visitor.tokens().refresh)
        #expect(try await visitor.refresh(token).json["/refresh_token"] == nil)
        #expect(try await visitor.refresh(token).json["/refresh_token"] != nil)
    }

    @Test func `a refresh without what is demanded is refused`() async throws {
        let visitor = try SimulatorVisitor(
            #""refresh": { "parameters": { "type": "refresh" }, "grantType": "-" }, "exchange": { "headers": { "X-V": "1" } }"#
        )
        let code = try await visitor.code()
        let answer = try await visitor.exchange(code, headers: [("X-V", "1")]).json
        let token = try #require(answer["/refresh_token"]?.text)
        #expect(await visitor.refresh(token, ["grant_type": nil, "type": "refresh"]).status == 400)
        #expect(await visitor.violations() == ["wiki: refresh request has no header X-V, wanted 1"])
    }

    @Test func `a refresh goes to its own address`() async throws {
        let visitor = try SimulatorVisitor(
            #""refresh": {}"#, place: #", "refresh": "https://wiki.example/token?refresh""#)
        let token = try #require(try await visitor.tokens().refresh)
        #expect(await visitor.refresh(token).status == 400)
        #expect(
            await visitor.violations() == [
                "wiki: refresh request is at https://wiki.example/token, wanted https://wiki.example/token?refresh"
            ])
        let members = SimulatorVisitor.changed(
            [
                "grant_type": "refresh_token", "refresh_token": token, "client_id": "the:wiki",
                "client_secret": SimulatorVisitor.secret,
            ], [:])
        #expect(await visitor.post(members, to: "https://wiki.example/token?refresh").status == 200)
        #expect(await visitor.violations() == [])
    }

    @Test func `an access token may renew itself`() async throws {
        let visitor = try SimulatorVisitor(
            #"""
            "refresh": { "sends": "accessToken", "method": "GET", "format": "query", "authentication": "*",
                         "grantType": "ig_refresh_token", "tokenParameter": "*" }
            """#)
        let old = try await visitor.tokens()
        #expect(old.refresh == nil)
        let query = FormFields(["grant_type": "ig_refresh_token", "access_token": old.access])
        let answer = await visitor.simulator.answer(
            SimulatedRequest(method: "GET", url: "https://wiki.example/token?" + query.encoded))
        #expect(try answer.json["/access_token"] != nil)
        #expect(await visitor.violations() == [])
    }

    // MARK: after connecting

    @Test func `a call after connecting needs the new token under the right scheme`() async throws {
        let visitor = try SimulatorVisitor(
            #""afterConnecting": { "address": "https://api.wiki.example/me", "scheme": "OAuth", "body": { "dc": "us6" } }"#
        )
        let token = try await visitor.tokens().access
        let call = { (scheme: String) in
            await visitor.simulator.answer(
                SimulatedRequest(
                    method: "GET", url: "https://api.wiki.example/me",
                    headers: [("Authorization", "\(scheme) \(token)")]))
        }
        #expect(await call("Bearer").status == 401)
        #expect(
            await visitor.violations() == [
                "wiki: call after connecting has no header Authorization: OAuth and the access token"
            ])
        #expect(try await call("OAuth").json["/dc"] == .string("us6"))
        #expect(await visitor.violations() == [])
    }

    @Test func `a swap gives another token`() async throws {
        let visitor = try SimulatorVisitor(
            #"""
            "afterConnecting": { "address": "https://wiki.example/token", "method": ["GET", "POST"], "scheme": "-",
                                 "tokenParameter": "swap", "parameters": { "grant_type": "swap" }, "swaps": true,
                                 "body": { "access_token": "{accessToken}" } }
            """#)
        let first = try await visitor.tokens().access
        let answer = await visitor.post(FormFields(["grant_type": "swap", "swap": first]))
        let second = try answer.json["/access_token"]?.text
        #expect(second != nil)
        #expect(second != first)
        #expect(await visitor.simulator.issued("wiki")?.accessToken == second)
        #expect(await visitor.post(FormFields(["grant_type": "swap", "token": first])).status == 401)
        #expect(await visitor.violations() == ["wiki: call after connecting has no access token in swap"])
    }

    // MARK: revocation

    /// Ways in which a provider takes a token back, and requests that do and do not follow them.
    @Test func `a token is revoked as the provider says only`() async throws {
        let basic = ("Authorization", Visitor.basic("the:wiki", SimulatorVisitor.secret))
        let visitor = try SimulatorVisitor(
            #""revocations": [{ "authentication": "basic", "accepts": "accessToken" }], "refresh": {}"#)
        let (token, refresh) = try await visitor.tokens()
        let address = "https://wiki.example/revoke"
        let rejected: [(FormFields, String, [(name: String, value: String)], String)] = [
            (FormFields(["token": token]), "POST", [], "has no client secret, wanted a Basic header"),
            (FormFields(["access_token": token]), "POST", [basic], "has no token in form as token"),
            (FormFields(["token": token]), "DELETE", [basic], "is a DELETE, wanted POST"),
            (FormFields(["token": "unknown"]), "POST", [basic], "has no token of ours"),
            (
                FormFields(["token": refresh ?? ""]), "POST", [basic],
                "has a token of a kind that cannot be revoked here"
            ),
        ]
        for (members, method, headers, sentence) in rejected {
            #expect(await visitor.post(members, to: address, method: method, headers: headers).status == 400)
            #expect(await visitor.violations() == ["wiki: revocation request " + sentence])
        }
        #expect(await visitor.simulator.isRevoked(token) == false)
        #expect(await visitor.post(FormFields(["token": token]), to: address, headers: [basic]).status == 200)
        #expect(await visitor.simulator.isRevoked(token))
        #expect(await visitor.violations() == [])
    }

    @Test(arguments: ["bearer", "query", "path", "json"])
    func `a token may travel elsewhere than in a form`(_ place: String) async throws {
        let address = "https://api.wiki.example/tokens" + (place == "path" ? "/{token}" : "")
        let visitor = try SimulatorVisitor(
            #""revocations": [{ "address": "\#(address)", "token": "\#(place)", "method": "DELETE", "authentication": "none" }]"#
        )
        let token = try await visitor.tokens().access
        let good = Self.revocation(of: token, in: place)
        for wrong in ["bearer", "query", "json", "form"] where wrong != place && place != "path" {
            #expect(await visitor.simulator.answer(Self.revocation(of: token, in: wrong)).status == 400)
            #expect(
                await visitor.violations() == ["wiki: revocation request has the token in \(wrong), wanted \(place)"]
            )
        }
        #expect(await visitor.simulator.answer(good).status == 200)
        #expect(await visitor.simulator.isRevoked(token))
        #expect(await visitor.violations() == [])
    }

    private static func revocation(of token: String, in place: String) -> SimulatedRequest {
        let address = "https://api.wiki.example/tokens"
        let encoded = FormFields.encode(token)
        return switch place {
        case "bearer":
            SimulatedRequest(method: "DELETE", url: address, headers: [("Authorization", "Bearer \(token)")])
        case "query": SimulatedRequest(method: "DELETE", url: "\(address)?token=\(encoded)")
        case "path": SimulatedRequest(method: "DELETE", url: "\(address)/\(encoded)")
        case "json":
            SimulatedRequest(
                method: "DELETE", url: address, headers: [("Content-Type", "application/json")],
                body: Array(#"{"token": "\#(token)"}"#.utf8))
        default:
            SimulatedRequest(
                method: "DELETE", url: address, headers: [("Content-Type", "application/x-www-form-urlencoded")],
                body: Array("token=\(encoded)".utf8))
        }
    }

    // MARK: on a socket

    @Test func `the original host travels in the path`() async throws {
        let visitor = try SimulatorVisitor()
        let query = FormFields([
            "response_type": "code", "client_id": "the:wiki", "redirect_uri": callback, "state": "s",
        ])
        try await visitor.simulator.application().test(.live) { client in
            let response = try await client.execute(
                uri: "/https/wiki.example/authorize?\(query.encoded)", method: .get)
            #expect(response.status == .found)
            let code = try #require(response.sentBack["code"])
            let tokens = try await client.execute(
                uri: "/https/wiki.example/token", method: .post,
                headers: [.contentType: "application/x-www-form-urlencoded"],
                body: ByteBuffer(string: visitor.exchangeMembers(code).encoded))
            #expect(tokens.status == .ok)
            #expect(try tokens.member("token_type") == "Bearer")
            let lost = try await client.execute(uri: "/https/nowhere.example/", method: .get)
            #expect(lost.status == .notFound)
        }
        #expect(await visitor.violations() == ["nobody: nothing lives at GET https://nowhere.example/"])
    }

    @Test func `entries that share addresses are told apart by their client and tokens`() async throws {
        let place =
            #"{"places": [{"authorization": "https://wiki.example/authorize", "token": "https://wiki.example/token"}]"#
        let requirements = #"{"calm": \#(place)}, "strict": \#(place), "exchange": {"headers": {"X-Version": "2"}}}}"#
        let visitor = try SimulatorVisitor(requirements: ProviderRequirements(json: Data(requirements.utf8)))
        let code = try await visitor.code(["client_id": "the:strict"])
        let changes: SimulatorVisitor.Members = ["client_id": "the:strict"]
        #expect(await visitor.exchange(code, changes, headers: [("X-Version", "2")]).status == 200)
        let other = try await visitor.code(["client_id": "the:calm"])
        #expect(await visitor.exchange(other, ["client_id": "the:calm"]).status == 200)
        #expect(await visitor.violations() == [])
    }
}
