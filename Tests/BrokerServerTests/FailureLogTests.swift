import Broker
import Formats
import HTTPTypes
import HummingbirdTesting
import Testing
import Transport

/// The log's line on a failure, besides the line of each request: its reason, once, and nothing that the caller sent.
@Suite struct FailureLogTests {
    private func failures(_ fixture: Fixture) -> [Substring] {
        fixture.lines.all.split(separator: "\n").filter { $0.contains("request failed") }
    }

    private func refresh(_ client: some TestClientProtocol, _ fixture: Fixture) async throws -> TestResponse {
        try await client.post(
            "/v1/tenants/acme/assets:refreshCredentials",
            ["sourceType": .string("example"), "refreshToken": .string("r3fresh-hunter2")],
            token: try await fixture.token(scope: .string("credentials:write")))
    }

    @Test(arguments: TransportError.allCases)
    func `trouble on the way to the provider is logged by its kind`(_ error: TransportError) async throws {
        let fixture = try await Fixture(provider: ScriptedProvider { _ throws(TransportError) in throw error })
        try await fixture.run { client async throws in
            let answer = try await refresh(client, fixture)
            let requestID = try #require(answer.headers[.init("X-Request-Id")!])
            let level = answer.status.code == 503 ? "error" : answer.status.code == 429 ? "info" : "warning"
            let line = try #require(failures(fixture).first)
            #expect(failures(fixture).count == 1)
            #expect(line.hasPrefix("\(level) "))
            #expect(line.contains(requestID) && line.contains(error.reason.description))
            #expect(line.contains("source_type") && line.contains("acme"))
            #expect(!answer.text.contains(error.reason.description))
        }
    }

    @Test(arguments: [
        (#"{"error":"invalid_grant"}"#, 400, "info", #"answered 400 with the error \"invalid_grant\""#),
        (#"{"error":"r3fresh-hunter2 is bad"}"#, 400, "warning", #"with the error \"[hidden] is bad\""#),
        ("{}", 200, "warning", "without a sound /access_token"),
    ])
    func `a refused refresh is logged with what the provider said`(
        _ body: String, _ status: Int, _ level: String, _ reason: String
    ) async throws {
        let fixture = try await Fixture(provider: ScriptedProvider(status: status, body))
        try await fixture.run { client async throws in
            _ = try await refresh(client, fixture)
            let line = try #require(failures(fixture).first)
            #expect(line.hasPrefix("\(level) "))
            #expect(line.replacing("\\\"", with: "\"").contains(reason.replacing("\\\"", with: "\"")))
            #expect(!fixture.lines.all.contains("r3fresh-hunter2"))
        }
    }

    @Test func `a callback of no flow is logged with the provider's error`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            _ = try await client.get("/oauth/callback?error=access_denied&error_description=No%1B")
            let line = try #require(failures(fixture).first)
            #expect(line.hasPrefix("info "))
            #expect(line.contains("invalid_state") && line.contains("access_denied") && line.contains("No"))
            #expect(!line.contains("\u{1B}"))
        }
    }

    @Test func `too many flows of all tenants together are logged, too many of one tenant are not`() async throws {
        for (bounds, count) in [(FlowBounds(inAll: 1), 1), (FlowBounds(perTenant: 1), 0)] {
            let fixture = try await Fixture(bounds: bounds)
            try await fixture.run { client in
                _ = try await fixture.authorize(client)
                let token = try await fixture.token()
                _ = try await client.post(
                    "/v1/tenants/acme/assets:authorize", ["sourceType": .string("example")], token: token)
                #expect(failures(fixture).count == count)
                #expect(failures(fixture).allSatisfy { $0.contains("limits.outstandingFlows") })
            }
        }
    }

    @Test func `what a browser fetches ahead is told as that`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let answer = try await client.get("/oauth/callback?code=a&state=b", [.init("Sec-Purpose")!: "prefetch"])
            #expect(answer.status == .serviceUnavailable && answer.code == "unavailable")
            #expect(answer.json["detail"]?.string?.contains("prefetch") == true)
            #expect(failures(fixture).isEmpty)
        }
    }
}
