import Foundation
import ServiceContextModule
import Testing
import Tracing

@testable import OTLPTracing

@Suite struct OTLPTracerTests {
    private struct Oops: Error, CustomStringConvertible {
        var description: String { "a secret" }
    }

    /// `@unchecked Sendable`: `lock` guards `spans`.
    private final class Collected: @unchecked Sendable {
        private let lock = NSLock()
        private var spans: [FinishedSpan] = []

        func add(_ span: FinishedSpan) { lock.withLock { spans.append(span) } }

        var all: [FinishedSpan] { lock.withLock { spans } }
    }

    private let collected = Collected()

    private func tracer(_ ratio: Double = 1) -> OTLPTracer {
        OTLPTracer(sampleRatio: ratio) { [collected] in collected.add($0) }
    }

    @Test func `of one trace know their parents`() async throws {
        let tracer = tracer()
        let outer = tracer.startSpan("outer", context: .topLevel, ofKind: .server)
        ServiceContext.withValue(outer.active) {
            tracer.withSpan("inner", ofKind: .client) { inner in
                #expect(tracer.activeSpan(identifiedBy: outer.active) === outer)
                inner.attributes["a"] = 1
            }
        }
        outer.end()
        outer.end()
        let (inner, ended) = (try #require(collected.all.first), try #require(collected.all.last))
        #expect(collected.all.count == 2)
        #expect(inner.trace.traceID == ended.trace.traceID)
        #expect(inner.parentID == ended.trace.spanID)
        #expect(ended.parentID == nil)
        #expect(inner.startedAt >= ended.startedAt && inner.endedAt <= ended.endedAt)
    }

    @Test func `are sampled as whoever began the trace decided, else by the ratio`() {
        var context = ServiceContext.topLevel
        for (flags, count) in [("00", 0), ("01", 1)] {
            context.trace = TraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-\(flags)")
            let span = tracer(flags == "00" ? 1 : 0).startSpan("a", context: context)
            #expect(span.isRecording == (count == 1))
            span.end()
            #expect(collected.all.count == count)
        }
        let few = (0..<4000).filter { _ in tracer(0.25).startSpan("a", context: .topLevel).isRecording }.count
        #expect((800...1200).contains(few))
        #expect(!tracer(0).startSpan("a", context: .topLevel).isRecording)
    }

    @Test func `tell an error by its type alone`() throws {
        let span = tracer().startSpan("a", context: .topLevel)
        span.recordError(Oops())
        span.end()
        let message = OTLPMessage(collected.all, service: "s", version: "1")
        let text = String(decoding: try JSONEncoder().encode(message), as: UTF8.self)
        #expect(text.contains("Oops"))
        #expect(!text.contains("a secret"))
    }

    @Test func `are passed in and out by headers`() throws {
        struct Headers: Extractor, Injector {
            func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
            func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) {
                carrier[key] = value
            }
        }
        let given = ["traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "a=b"]
        var context = ServiceContext.topLevel
        tracer().extract(given, into: &context, using: Headers())
        var passed: [String: String] = [:]
        tracer().inject(context, into: &passed, using: Headers())
        #expect(passed == given)
    }

    @Test func `wait for a collector in bounded number, and those it does not take are counted`() async {
        let sizes = Sizes()
        let queue = SpanQueue(service: "s", version: "1") { await sizes.take($0) }
        let tracer = OTLPTracer { queue.add($0) }
        for _ in 0..<SpanQueue.capacity + 7 { tracer.startSpan("a", context: .topLevel).end() }
        #expect(queue.droppedCount == 7)
        #expect(await queue.flush())
        #expect(await sizes.count == SpanQueue.capacity / 512)
        #expect(queue.droppedCount == 7)

        await sizes.refuse()
        for _ in 0..<1000 { tracer.startSpan("a", context: .topLevel).end() }
        #expect(await !queue.flush())
        // The second batch was not tried.
        #expect(await sizes.count == SpanQueue.capacity / 512 + 1)
        #expect(queue.droppedCount == 1007)
        #expect(await queue.flush())
    }

    private actor Sizes {
        var count = 0
        private var isTaking = true

        func take(_ body: [UInt8]) -> Bool {
            count += 1
            return isTaking
        }

        func refuse() { isTaking = false }
    }
}
