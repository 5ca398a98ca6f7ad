import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import Sandbox

struct BehaviourTests {
    @Test func `a list of names is read back as it was written`() throws {
        let all = Set(Behaviour.allCases)
        #expect(try Set(listed: all.listed) == all)
        #expect(try Set<Behaviour>(listed: "").isEmpty)
        #expect(throws: UnknownBehaviour(name: "nonsense")) { try Set<Behaviour>(listed: "slow,nonsense") }
    }

    @Test func `deny sends access_denied even to who allows`() async throws {
        try await Visitor.visiting { visitor in
            let response = try await visitor.authorize(["sandbox_auto": "allow", "sandbox_behaviour": "deny"])
            #expect(response.sentBack["error"] == "access_denied")
        }
    }

    @Test func `hostile_error sends a script tag as the description`() async throws {
        try await Visitor.visiting { visitor in
            let response = try await visitor.authorize(["sandbox_auto": "allow", "sandbox_behaviour": "hostile_error"])
            #expect(response.sentBack["error"] == "server_error")
            #expect(response.sentBack["error_description"]?.contains("<script>") == true)
            #expect(response.sentBack["state"] == "st&te=")
            #expect(response.headers[.location]?.contains("<") == false)
        }
    }

    @Test(arguments: [("no_iss", nil), ("wrong_iss", "https://other-provider.example")])
    func `the issuer can be missing or another's`(behaviour: String, issuer: String?) async throws {
        try await Visitor.visiting { visitor in
            let response = try await visitor.authorize(["sandbox_auto": "allow", "sandbox_behaviour": behaviour])
            #expect(response.sentBack["code"] != nil)
            #expect(response.sentBack["iss"] == issuer)
        }
    }

    @Test(arguments: [(Behaviour.slow, 40), (.verySlow, 90)])
    func `the slow ones take their time`(behaviour: Behaviour, milliseconds: Int) async throws {
        try await Visitor.visiting { visitor in
            let code = try await visitor.code(behaviour)
            let start = ContinuousClock.now
            #expect(try await visitor.exchange(code).status == .ok)
            #expect(start.duration(to: .now) >= .milliseconds(milliseconds))
        }
    }

    @Test func `server_error answers 500`() async throws {
        try await Visitor.visiting { visitor in
            let response = try await visitor.exchange(try await visitor.code(.serverError))
            #expect(response.status == .internalServerError)
        }
    }

    @Test func `error_200 answers an error as if all were well`() async throws {
        try await Visitor.visiting { visitor in
            let response = try await visitor.exchange(try await visitor.code(.errorInOK))
            #expect(response.status == .ok)
            #expect(try response.member("error") == "invalid_request")
            #expect(try response.member("access_token") == nil)
        }
    }

    @Test func `html_200 answers a page`() async throws {
        try await Visitor.visiting { visitor in
            let response = try await visitor.exchange(try await visitor.code(.htmlInOK))
            #expect(response.status == .ok)
            #expect(response.text.hasPrefix("<!doctype html>"))
        }
    }

    @Test func `unknown_code answers invalid_grant`() async throws {
        try await Visitor.visiting { visitor in
            let response = try await visitor.exchange(try await visitor.code(.unknownCode))
            #expect(response.status == .badRequest)
            #expect(try response.member("error") == "invalid_grant")
        }
    }

    @Test func `disconnect ends half-way`() async throws {
        try await Visitor.visiting { visitor in
            let code = try await visitor.code(.disconnect)
            await #expect(throws: (any Error).self) { try await visitor.exchange(code) }
        }
    }

    @Test func `huge_answer is beyond a mebibyte`() async throws {
        try await Visitor.visiting { visitor in
            let response = try await visitor.exchange(try await visitor.code(.hugeAnswer))
            #expect(response.body.readableBytes > 2 * 1024 * 1024)
        }
    }

    @Test func `form answers form encoding, at the refresh too`() async throws {
        try await Visitor.visiting { visitor in
            let response = try await visitor.exchange(try await visitor.code(.formEncoded))
            #expect(response.headers[.contentType] == "application/x-www-form-urlencoded")
            let fields = FormFields(decoding: response.text)
            #expect(fields["access_token"]?.hasPrefix("sbx_access_") == true)
            #expect(fields["expires_in"] == "3600")
            let refreshed = try await visitor.refresh(try #require(fields["refresh_token"]))
            #expect(FormFields(decoding: refreshed.text)["access_token"] != nil)
        }
    }

    @Test func `expires_in can be text or missing`() async throws {
        try await Visitor.visiting { visitor in
            let text = try await visitor.exchange(try await visitor.code(.expiresAsString))
            #expect(text.text.contains(#""expires_in":"3600""#))
            let missing = try await visitor.exchange(try await visitor.code(.noExpiry))
            #expect(try missing.member("expires_in") == nil)
            #expect(try missing.member("access_token") != nil)
        }
    }

    @Test func `reduced_scope grants the first scope and no more`() async throws {
        try await Visitor.visiting { visitor in
            let response = try await visitor.exchange(try await visitor.code(.reducedScope))
            #expect(try response.member("scope") == "files.read")
            let me = try await visitor.me(try #require(try response.member("access_token")))
            #expect(try me.member("email") == nil)
        }
    }

    @Test func `no_refresh_token leaves it out`() async throws {
        try await Visitor.visiting { visitor in
            let response = try await visitor.exchange(try await visitor.code(.noRefreshToken))
            #expect(response.status == .ok)
            #expect(try response.member("refresh_token") == nil)
        }
    }

    @Test func `no_rotation keeps the refresh token good`() async throws {
        try await Visitor.visiting { visitor in
            let tokens = try await visitor.exchange(try await visitor.code(.noRotation))
            let token = try #require(try tokens.member("refresh_token"))
            for _ in 0..<2 {
                let refreshed = try await visitor.refresh(token)
                #expect(refreshed.status == .ok)
                #expect(try refreshed.member("refresh_token") == nil)
            }
        }
    }

    @Test func `refresh_refused answers invalid_grant to the refresh token`() async throws {
        try await Visitor.visiting { visitor in
            let tokens = try await visitor.exchange(try await visitor.code(.refreshRefused))
            let refreshed = try await visitor.refresh(try #require(try tokens.member("refresh_token")))
            #expect(refreshed.status == .badRequest)
            #expect(try refreshed.member("error") == "invalid_grant")
        }
    }

    @Test func `behaviours combine`() async throws {
        try await Visitor.visiting { visitor in
            let code = try await visitor.code(.slow, .formEncoded, .noRefreshToken, .noExpiry)
            let fields = FormFields(decoding: try await visitor.exchange(code).text)
            #expect(fields["access_token"] != nil)
            #expect(fields["refresh_token"] == nil)
            #expect(fields["expires_in"] == nil)
        }
    }
}
