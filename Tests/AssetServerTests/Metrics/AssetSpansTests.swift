import AssetServer
import Assets
import Formats
import HTTPTypes
import HummingbirdTesting
import OTLPTracing
import Testing
import Transport

@Suite(.timeLimit(.minutes(5))) struct AssetSpansTests {
    private static let traceID = "0af7651916cd43dd8448eb211c80319c"

    @Test func `what a traced request asks of the broker is in its trace, and the broker hears of it`() async throws {
        let spans = SpansKept()
        let broker = ScriptedBroker()
        let fixture = try await Fixture(broker: broker, tracer: spans.tracer)
        try await fixture.run { caller async throws in
            let body = #"{"config":{"sourceType":"drive"},"auth":{"credentialKey":"ckr_s3cret"}}"#
            let answer = try await caller.send(
                .post, "", body, [HTTPField.Name("traceparent")!: "00-\(Self.traceID)-b7ad6b7169203331-01"])
            #expect(answer.status == .created)
        }
        let made = spans.all
        #expect(made.map(\.name) == ["POST broker", "POST /v1/tenants/{tenant}/assets"])
        #expect(made.allSatisfy { $0.trace.traceID == Self.traceID })
        #expect(made.first?.parentID == made.last?.trace.spanID)
        let sent = broker.requests.first?.headers.first { $0.name == "traceparent" }
        #expect(sent?.value == made.first?.trace.traceparent)
    }

    @Test func `sources and embedders hear nothing of a trace`() async throws {
        let source = ScriptedBroker(status: 200, "")
        let tracer = OTLPTracer { _ in }
        let metrics = AssetMetrics()
        for target in RequestTarget.allCases where target != .broker {
            _ = try await metrics.measuring(source, to: target, tracer: tracer)
                .send(TransportRequest(method: .get, url: "https://x.example/"))
        }
        #expect(source.requests.allSatisfy { $0.headers.isEmpty })
    }

    // MARK: operations

    private static let operation = AssetOperation(
        id: OperationID("00000000-0000-4000-8000-000000000001")!,
        asset: AssetID("00000000-0000-4000-8000-000000000002")!, tenant: TenantID("acme")!, kind: .refresh,
        createdAt: Timestamp(milliseconds: 0), updatedAt: Timestamp(milliseconds: 0), model: nil, createdBy: nil)

    @Test(
        arguments: [
            (AssetOperation.Status.completed, nil), (.cancelled, nil), (.failed, .sourceTimeout),
        ] as [(AssetOperation.Status, AssetOperation.Code?)])
    func `an operation is one span, from its start to its end`(
        _ status: AssetOperation.Status, _ code: AssetOperation.Code?
    ) {
        let made = SpansKept()
        let spans = IngestionSpans(made.tracer)
        spans.add(.started(Self.operation))
        spans.add(.documentDone(Self.operation.id, .completed, chunks: 1, tokens: 1))
        #expect(made.all.isEmpty)
        var ended = Self.operation
        ended.status = status
        ended.failure = code.map { .init($0, "s3cret") }
        spans.add(.ended(ended))
        spans.add(.ended(ended))
        let span = made.all
        #expect(span.map(\.name) == ["ingest"])
        #expect(span.first?.parentID == nil)
        #expect((span.first?.status != nil) == (status == .failed))
        #expect(!"\(span)".contains("s3cret"))
    }

    @Test(arguments: [IngestionEvent.gone(operation.id), .dropped(operation.id)])
    func `an operation that stops without an end is a span all the same`(_ stop: IngestionEvent) {
        let made = SpansKept()
        let spans = IngestionSpans(made.tracer)
        spans.add(.started(Self.operation))
        spans.add(stop)
        #expect(made.all.count == 1)
    }
}
