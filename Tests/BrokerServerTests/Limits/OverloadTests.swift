import Broker
import HTTPTypes
import HummingbirdTesting
import TestSupport
import Testing
import Transport

@Suite(.timeLimit(.minutes(5))) struct OverloadTests {
    private let json: HTTPFields = [.accept: "application/json"]

    private static func answer(_ gate: Gate, _ body: String) -> ScriptedProvider {
        ScriptedProvider { _ in
            await gate.pass()
            return ProviderResponse(status: 200, body: Array(body.utf8))
        }
    }

    private func refresh(
        _ client: some TestClientProtocol, _ fixture: Fixture, _ refreshToken: String, tenant: String
    ) async throws -> TestResponse {
        let token = try await fixture.token(tenant: .string(tenant), scope: .string("credentials:write"))
        return try await client.post(
            "/v1/tenants/\(tenant)/assets:refreshCredentials",
            ["sourceType": .string("example"), "refreshToken": .string(refreshToken)], token: token)
    }

    @Test func `a callback that would wait behind too many of its own tenant spends no state, others' go on`()
        async throws
    {
        let gate = Gate()
        let fixture = try await Fixture(
            provider: Self.answer(gate, #"{"access_token":"t"}"#),
            shares: ProviderShares(perTenant: 1, waitingOfFlows: 2))
        let json = json
        try await fixture.run { client async throws in
            let begun = try await (0..<4).asyncMap { _ in try await fixture.authorize(client) }
            let other = try await fixture.authorize(client, tenant: "other")
            try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                for flow in begun.dropLast() {
                    group.addTask { try await client.get("\(flow.callback)?code=c&state=\(flow.state)").status }
                }
                #expect(await eventually { fixture.calls.waitingCount == 2 })
                let uri = "\(begun[3].callback)?code=c&state=\(begun[3].state)"
                let refused = try await client.get(uri, json)
                #expect(refused.status == .serviceUnavailable)
                #expect(refused.code == "unavailable")
                #expect(refused.headers[.retryAfter] == "5")
                #expect(try await client.get(uri).headers[.contentType] == "text/html; charset=utf-8")
                group.addTask { try await client.get("\(other.callback)?code=c&state=\(other.state)").status }
                await gate.arrival(of: 2)
                gate.open()
                for try await status in group { #expect(status == .found) }
                #expect(try await client.get(uri).status == .found)
            }
        }
    }

    /// RFC 6585 § 4.
    @Test func `a refresh beyond its tenant's share waits in vain and is told when to come again`() async throws {
        let gate = Gate()
        let fixture = try await Fixture(
            provider: Self.answer(gate, #"{"access_token":"t"}"#), shares: ProviderShares(perTenant: 1))
        try await fixture.run { client async throws in
            try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                group.addTask { try await refresh(client, fixture, "one", tenant: "acme").status }
                await gate.arrival()
                let refused = try await refresh(client, fixture, "two", tenant: "acme")
                #expect(refused.status == .tooManyRequests)
                #expect(refused.code == "rate_limited")
                #expect(refused.headers[.retryAfter] == "5")
                // Another tenant has its own share.
                group.addTask { try await refresh(client, fixture, "three", tenant: "other").status }
                await gate.arrival(of: 2)
                gate.open()
                for try await status in group { #expect(status == .ok) }
            }
            #expect(fixture.provider.requests.count == 2)
            #expect(fixture.figure(#"cloakroom_refreshes_total{outcome="rate_limited"}"#) == "1")
        }
    }

    @Test func `a callback behind its tenant's refreshes waits and ends`() async throws {
        let gate = Gate()
        let fixture = try await Fixture(
            provider: Self.answer(gate, #"{"access_token":"t"}"#), shares: ProviderShares(perTenant: 1),
            patience: { _ in try await Task.sleep(for: .seconds(3600)) })
        try await fixture.run { client async throws in
            let flow = try await fixture.authorize(client)
            try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                group.addTask { try await refresh(client, fixture, "one", tenant: "acme").status }
                await gate.arrival()
                group.addTask { try await client.get("\(flow.callback)?code=c&state=\(flow.state)").status }
                group.addTask { try await refresh(client, fixture, "two", tenant: "acme").status }
                #expect(await eventually { fixture.calls.waitingCount == 2 })
                gate.open()
                let statuses = try await group.reduce(into: []) { $0.append($1) }
                #expect(statuses.filter { $0 == .ok }.count == 2 && statuses.contains(.found))
            }
        }
        // First come, first served would have the callback last.
        let bodies = fixture.provider.requests.map { String(decoding: $0.body ?? [], as: UTF8.self) }
        #expect(bodies.count == 3 && bodies[1].contains("authorization_code"))
    }

    @Test func `a provider's full queue is 503`() async throws {
        let fixture = try await Fixture(
            provider: ScriptedProvider { _ throws(TransportError) in throw .overloaded })
        let json = json
        try await fixture.run { client async throws in
            let started = try await fixture.authorize(client)
            let answer = try await client.get("\(started.callback)?code=c&state=\(started.state)", json)
            #expect(answer.status == .serviceUnavailable)
            #expect(answer.headers[.retryAfter] == "5")
        }
    }
}

extension Sequence {
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
