import AssetServer
import Assets
import Formats
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing
import Transport

@Suite(.timeLimit(.minutes(5))) struct AssetMetricsTests {
    @Test func `metrics are Prometheus text that nobody keeps`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let answer = try await caller.client.execute(uri: "/metrics", method: .get)
            #expect(answer.status == .ok)
            #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(answer.headers[.cacheControl] == "no-store")
            #expect(answer.text.contains(#"cloakroom_build_info{version="1.2.3"} 1"#))
            #expect(try await caller.client.execute(uri: "/metrics", method: .post).status == .methodNotAllowed)
        }
    }

    @Test func `requests are counted by template, method and status, never by what a caller sent`() async throws {
        let fixture = try await Fixture()
        try await fixture.run { caller async throws in
            let made = try await caller.make(name: "s3cret")
            _ = try await caller.get("/\(made.asset)")
            _ = try await caller.get("/s3cret?search=s3cret")
            _ = try await caller.call(.delete, "/\(made.asset)%3Arefresh", [:])
            let requests = "cloakroom_http_requests_total"
            let asset = #"route="/v1/tenants/{tenant}/assets/{asset}""#
            #expect(fixture.value(#"\#(requests){method="GET",\#(asset),status="200"}"#) == "1")
            #expect(fixture.value(#"\#(requests){method="GET",\#(asset),status="404"}"#) == "1")
            let refresh = #"route="/v1/tenants/{tenant}/assets/{asset}:refresh""#
            #expect(fixture.value(#"\#(requests){method="DELETE",\#(refresh),status="405"}"#) == "1")
            #expect(fixture.value(#"cloakroom_http_request_duration_seconds_count{\#(asset)}"#) == "2")
            let text = fixture.metrics.registry.text
            #expect(!text.contains("s3cret") && !text.contains("acme") && !text.contains(made.asset))
        }
    }

    @Test func `what goes to the broker is counted by its outcome`() async throws {
        let fixture = try await Fixture(broker: ScriptedBroker { _ throws(TransportError) in throw .timedOut })
        try await fixture.run { caller async throws in
            let body = #"{"config":{"sourceType":"drive"},"auth":{"credentialKey":"ckr_s3cret"}}"#
            #expect(try await caller.send(.post, "", body).code == "broker_timeout")
            let requests = "cloakroom_assets_requests_total"
            #expect(fixture.value(#"\#(requests){outcome="timed_out",target="broker"}"#) == "1")
            #expect(fixture.value(#"\#(requests){outcome="2xx",target="broker"}"#) == "0")
            let duration = "cloakroom_assets_request_duration_seconds_count"
            #expect(fixture.value(#"\#(duration){target="broker"}"#) == "1")
            #expect(!fixture.metrics.registry.text.contains("s3cret"))
        }
    }

    // MARK: the ingestion

    private static let operation = AssetOperation(
        id: OperationID("00000000-0000-4000-8000-000000000001")!,
        asset: AssetID("00000000-0000-4000-8000-000000000002")!, tenant: TenantID("acme")!, kind: .create,
        createdAt: Timestamp(milliseconds: 0), updatedAt: Timestamp(milliseconds: 0), model: nil,
        createdBy: nil)

    private static func ended(
        _ status: AssetOperation.Status, _ code: AssetOperation.Code? = nil
    ) -> IngestionEvent {
        var operation = operation
        operation.status = status
        operation.startedAt = Timestamp(milliseconds: 1000)
        operation.completedAt = Timestamp(milliseconds: 3500)
        operation.failure = code.map { .init($0, "s3cret") }
        return .ended(operation)
    }

    @Test(arguments: [
        (ended(.completed), "completed"), (ended(.completed, .documentsFailed), "partial"),
        (ended(.completed, .tooManyDocuments), "completed"), (ended(.cancelled), "cancelled"),
        (ended(.failed, .sourceUnreachable), "source_unreachable"),
        (ended(.failed, .documentsFailed), "documents_failed"),
    ])
    func `an operation is counted by how it ended`(_ end: IngestionEvent, _ outcome: String) async throws {
        let fixture = try await Fixture()
        fixture.metrics.ingestion.count(.started(Self.operation))
        #expect(fixture.value("cloakroom_assets_operations_running") == "1")
        fixture.metrics.ingestion.count(end)
        #expect(fixture.value("cloakroom_assets_operations_running") == "0")
        #expect(fixture.value("cloakroom_assets_operations_started_total") == "1")
        #expect(fixture.value(#"cloakroom_assets_operations_ended_total{outcome="\#(outcome)"}"#) == "1")
        #expect(fixture.value("cloakroom_assets_operation_duration_seconds_sum") == "2.5")
        #expect(!fixture.metrics.registry.text.contains("s3cret"))
    }

    /// Else the gauge would count it as running for ever.
    @Test(arguments: [
        IngestionEvent.gone(operation.id), .dropped(operation.id), .ended(operation),
    ])
    func `an operation that lost the store for long runs until it stops, once`(_ stop: IngestionEvent) async throws {
        let fixture = try await Fixture()
        fixture.metrics.ingestion.count(.started(Self.operation))
        fixture.metrics.ingestion.count(.internalError(Self.operation.id, .storeLost))
        #expect(fixture.value("cloakroom_assets_operations_running") == "1")
        fixture.metrics.ingestion.count(stop)
        #expect(fixture.value("cloakroom_assets_operations_running") == "0")
    }

    @Test func `documents, chunks and tokens are counted`() async throws {
        let fixture = try await Fixture()
        let ingestion = fixture.metrics.ingestion
        ingestion.count(.documentDone(Self.operation.id, .completed, chunks: 3, tokens: 40))
        ingestion.count(.documentDone(Self.operation.id, .unchanged, chunks: 0, tokens: 0))
        ingestion.count(.documentDone(Self.operation.id, .failed(.tooLarge), chunks: 0, tokens: 0))
        ingestion.waiting(5)
        let documents = "cloakroom_assets_documents_total"
        #expect(fixture.value(#"\#(documents){outcome="completed"}"#) == "1")
        #expect(fixture.value(#"\#(documents){outcome="unchanged"}"#) == "1")
        #expect(fixture.value(#"\#(documents){outcome="too_large"}"#) == "1")
        #expect(fixture.value("cloakroom_assets_chunks_total") == "3")
        #expect(fixture.value("cloakroom_assets_tokens_total") == "40")
        #expect(fixture.value("cloakroom_assets_operations_waiting") == "5")
    }

    @Test func `what is ready is there from the start, at 0`() async throws {
        let fixture = try await Fixture()
        for series in [
            #"cloakroom_assets_operations_ended_total{outcome="internal_error"}"#,
            #"cloakroom_assets_documents_total{outcome="crashed"}"#,
            #"cloakroom_assets_requests_total{outcome="5xx",target="broker"}"#, "cloakroom_assets_operations_running",
        ] {
            #expect(fixture.value(series) == "0", "\(series)")
        }
    }
}
