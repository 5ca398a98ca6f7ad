import Broker
import Formats
import HTTPTypes
import HummingbirdTesting
import Testing

/// A clock that is set while the broker runs, as an operator or a time server may do.
@Suite struct ClockTests {
    private func redeem(_ client: some TestClientProtocol, _ key: String) async throws -> TestResponse {
        try await client.get("/v1/tenants/acme/assets:oauthCredentials?credentialKey=\(key)")
    }

    @Test(arguments: [-86_400, -3600, -1])
    func `a clock that is set back loses no flow and no key`(_ seconds: Int64) async throws {
        let fixture = try await Fixture()
        try await fixture.run { client async throws in
            let begun = try await fixture.authorize(client)
            let key = try #require(try await fixture.connect(client)["credentialKey"])
            fixture.clock.advance(seconds: seconds)
            let answer = try await client.get("\(begun.callback)?code=c0de&state=\(begun.state)")
            #expect(answer.status == .found)
            #expect(try await redeem(client, try #require(answer.fragment["credentialKey"])).status == .ok)
            #expect(try await redeem(client, key).status == .ok)
            #expect(try await redeem(client, key).code == "invalid_credential_key")
        }
    }

    @Test func `a clock that is set forward ends what waits, and what comes is served`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client async throws in
            let begun = try await fixture.authorize(client)
            let key = try #require(try await fixture.connect(client)["credentialKey"])
            fixture.clock.advance(seconds: 10 * 365 * 86_400)
            let late = try await client.get(
                "\(begun.callback)?code=c&state=\(begun.state)", [.accept: "application/json"])
            #expect(late.code == "invalid_state")
            #expect(try await redeem(client, key).code == "invalid_credential_key")
            let next = try #require(try await fixture.connect(client)["credentialKey"])
            #expect(try await redeem(client, next).status == .ok)
        }
    }

    @Test func `a revocation holds for what began before it, whatever the clock says`() async throws {
        let fixture = try await Fixture()
        let token = try await fixture.token(tenant: .null, scope: .string("broker:admin"))
        try await fixture.run { client async throws in
            let begun = try await fixture.authorize(client)
            let key = try #require(try await fixture.connect(client)["credentialKey"])
            fixture.clock.advance(seconds: -3600)
            let revoked = try await client.post(
                "/v1/admin/revocations", ["tenant": .string("acme"), "reason": .string("r")], token: token)
            #expect(revoked.json["credentialKeysRevoked"] == .number(1))
            #expect(try await redeem(client, key).code == "invalid_credential_key")
            let late = try await client.get(
                "\(begun.callback)?code=c&state=\(begun.state)", [.accept: "application/json"])
            #expect(late.code == "invalid_state")
            // What begins after it is not touched, though its time is an earlier one.
            fixture.clock.advance(seconds: -60)
            let next = try #require(try await fixture.connect(client)["credentialKey"])
            #expect(try await redeem(client, next).status == .ok)
        }
    }

    @Test(arguments: [-86_400, -40, 40, 86_400])
    func `what is kept of a refresh goes by a clock that nobody sets`(_ seconds: Int64) async throws {
        let fixture = try await Fixture()
        let token = try await fixture.token(
            scope: .string("credentials:write"), changing: ["exp": .number(4_000_000_000)])
        try await fixture.run { client async throws in
            func refresh() async throws -> Int {
                let members = ["sourceType": JSONValue.string("example"), "refreshToken": .string("r0")]
                let uri = "/v1/tenants/acme/assets:refreshCredentials"
                #expect(try await client.post(uri, members, token: token).status == .ok)
                return fixture.provider.requests.count
            }
            #expect(try await refresh() == 1)
            fixture.clock.advance(seconds: seconds)
            #expect(try await refresh() == 1)
            fixture.steadyClock.advance(.seconds(31))
            #expect(try await refresh() == 2)
        }
    }

    @Test func `limits go by a clock that nobody sets`() async throws {
        let fixture = try await Fixture(limits: .init(redeemPerAddress: 0.1))
        try await fixture.run { client async throws in
            #expect(try await redeem(client, "x").status == .badRequest)
            for seconds in [3600, -7200] as [Int64] {
                fixture.clock.advance(seconds: seconds)
                #expect(try await redeem(client, "x").status == .tooManyRequests)
            }
        }
    }
}
