import Broker
import BrokerServer
import Formats
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing
import Transport

@Suite struct BrokerMetricsTests {
    @Test func `metrics are Prometheus text that nobody keeps`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client async throws in
            let answer = try await client.get("/metrics")
            #expect(answer.status == .ok)
            #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(answer.headers[.cacheControl] == "no-store")
            #expect(try await client.post("/metrics", [:]).status == .methodNotAllowed)
        }
    }

    @Test func `requests are counted by template, method and status`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            for tenant in ["acme", "other", "third"] {
                _ = try await client.post("/v1/tenants/\(tenant)/assets:authorize", [:])
            }
            _ = try await client.get("/v1/tenants/acme/assets%3Aauthorize")
            _ = try await client.execute(uri: "/healthz", method: .head)
            _ = try await client.execute(uri: "/nowhere/s3cret", method: .init("S3CRET")!)
            let authorize = #"route="/v1/tenants/{tenant}/assets:authorize""#
            let requests = "cloakroom_http_requests_total"
            #expect(fixture.figure(#"\#(requests){method="POST",\#(authorize),status="401"}"#) == "3")
            #expect(fixture.figure(#"\#(requests){method="GET",\#(authorize),status="405"}"#) == "1")
            #expect(fixture.figure(#"\#(requests){method="HEAD",route="/healthz",status="200"}"#) == "1")
            #expect(fixture.figure(#"\#(requests){method="other",route="none",status="404"}"#) == "1")
            let duration = "cloakroom_http_request_duration_seconds"
            #expect(fixture.figure(#"\#(duration)_count{\#(authorize)}"#) == "4")
            #expect(fixture.figure(#"\#(duration)_bucket{\#(authorize),le="+Inf"}"#) == "4")
        }
    }

    @Test func `a flow is counted from its start to its redemption, and once more where the key comes back`()
        async throws
    {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let uri = "/v1/tenants/acme/assets:oauthCredentials?credentialKey="
            let key = try #require(try await fixture.connect(client)["credentialKey"])
            for _ in 0..<3 { _ = try await client.get(uri + key) }
            _ = try await client.get(uri + "wrong")
            #expect(fixture.figure(#"cloakroom_flows_started_total{source_type="example"}"#) == "1")
            #expect(fixture.figure(#"cloakroom_flows_succeeded_total{source_type="example"}"#) == "1")
            #expect(fixture.figure("cloakroom_credential_keys_redeemed_total") == "1")
            #expect(fixture.figure("cloakroom_credential_keys_reused_total") == "2")
            #expect(fixture.figure("cloakroom_credential_keys_refused_total") == "1")
            let provider = "cloakroom_provider_request"
            #expect(fixture.figure(#"\#(provider)s_total{outcome="2xx",source_type="example"}"#) == "1")
            #expect(fixture.figure(#"\#(provider)_duration_seconds_count{source_type="example"}"#) == "1")
            #expect(fixture.figure(#"cloakroom_caller_tokens_total{cache="miss"}"#) == "1")
        }
    }

    @Test(arguments: [
        ("error=access_denied", "access_denied"), ("error=invalid_scope", "invalid_scope"), ("", "invalid_callback"),
        ("error=anything_a_provider_likes", "provider_error"), ("error=s3cret", "provider_error"),
    ])
    func `a provider's own words become no label`(_ query: String, _ code: String) async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let started = try await fixture.authorize(client)
            _ = try await client.get("\(started.callback)?\(query)&state=\(started.state)")
            #expect(fixture.figure(#"cloakroom_flows_failed_total{code="\#(code)",source_type="example"}"#) == "1")
            #expect(!fixture.figures.registry.text.contains("s3cret"))
            #expect(!fixture.figures.registry.text.contains("likes"))
        }
    }

    @Test func `why a provider did not answer is counted`() async throws {
        let fixture = try await Fixture(provider: ScriptedProvider { _ throws(TransportError) in throw .timedOut })
        try await fixture.run { client in
            let started = try await fixture.authorize(client)
            _ = try await client.get("\(started.callback)?code=c&state=\(started.state)")
            let requests = "cloakroom_provider_requests_total"
            #expect(fixture.figure(#"\#(requests){outcome="timed_out",source_type="example"}"#) == "1")
            #expect(
                fixture.figure(#"cloakroom_flows_failed_total{code="provider_timeout",source_type="example"}"#) == "1")
        }
    }

    @Test func `refreshes and revocations are counted by outcome`() async throws {
        let fixture = try await Fixture(provider: ScriptedProvider(status: 400, #"{"error":"invalid_grant"}"#))
        try await fixture.run { client in
            let token = try await fixture.token(scope: .string("credentials:write"))
            let body: [String: JSONValue] = ["sourceType": .string("example"), "refreshToken": .string("r")]
            let uri = "/v1/tenants/acme/assets:"
            _ = try await client.post(uri + "refreshCredentials", body, token: token)
            _ = try await client.post(uri + "refreshCredentials", body)
            let revoked: [String: JSONValue] = ["sourceType": .string("example"), "token": .string("t")]
            _ = try await client.post(uri + "revokeCredentials", revoked, token: token)
            #expect(fixture.figure(#"cloakroom_refreshes_total{outcome="reauthorization_required"}"#) == "1")
            #expect(fixture.figure(#"cloakroom_refreshes_total{outcome="refused"}"#) == "1")
            #expect(fixture.figure(#"cloakroom_refreshes_total{outcome="succeeded"}"#) == "0")
            #expect(fixture.figure(#"cloakroom_revocations_total{outcome="revocation_unsupported"}"#) == "1")
        }
    }

    @Test func `what is ready is there from the start, at 0, and nothing else`() async throws {
        let fixture = try await Fixture()
        #expect(fixture.figure(#"cloakroom_flows_started_total{source_type="example"}"#) == "0")
        #expect(fixture.figure(#"cloakroom_flows_failed_total{code="provider_error",source_type="example"}"#) == "0")
        #expect(fixture.figure("cloakroom_credential_keys_reused_total") == "0")
        #expect(fixture.figure("cloakroom_credential_keys_expired_total") == "0")
        #expect(!fixture.figures.registry.text.contains("unconfigured"))
    }

    @Test func `a source type that the catalog does not have is other`() throws {
        let figures = BrokerMetrics(sourceTypes: [], version: "1.2.3")
        let transport = figures.measuring(ScriptedProvider())
        #expect(!transport.isBusy)
        #expect(figures.registry.text.contains(#"cloakroom_build_info{version="1.2.3"} 1"#))
        #expect(figures.registry.text.contains(#"cloakroom_flows_started_total{source_type="other"} 0"#))
    }
}

extension Fixture {
    /// The value of one series.
    func figure(_ series: String) -> String? {
        figures.registry.text.split(separator: "\n").first { $0.hasPrefix(series + " ") }
            .map { String($0.dropFirst(series.count + 1)) }
    }
}
