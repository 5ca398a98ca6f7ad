import Formats
import Foundation
import Secrets

/// Spans on their way to a collector: sent together, and dropped rather than kept without end where it does not answer.
public final class SpanQueue: Sendable {
    private let service: String
    private let version: String
    private let send: @Sendable ([UInt8]) async -> Bool
    private let state = Locked(State())

    private struct State: Sendable {
        var waiting: [FinishedSpan] = []
        var dropped = 0
    }

    /// The most spans that wait; further ones are dropped.
    static let capacity = 4096
    private static let batch = 512

    /// - Parameters:
    ///   - service: `service.name` of all spans.
    ///   - version: `service.version` of all spans.
    ///   - send: posts an `ExportTraceServiceRequest` in JSON; true if the collector took it.
    public init(service: String, version: String, send: @escaping @Sendable ([UInt8]) async -> Bool) {
        self.service = service
        self.version = version
        self.send = send
    }

    /// Queues a span without waiting. Beyond 4096 that wait, it is dropped and counted.
    public func add(_ span: FinishedSpan) {
        state.withLock {
            if $0.waiting.count < Self.capacity { $0.waiting.append(span) } else { $0.dropped += 1 }
        }
    }

    /// The number of spans since the start that no collector took: too many waited, or a batch was refused.
    public var droppedCount: Int { state.withLock { $0.dropped } }

    /// Sends all that wait now, in batches of 512; true if the collector took all of it. Spans that it did not take are
    /// dropped.
    public func flush() async -> Bool {
        let spans = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        var isTaken = true
        for start in stride(from: 0, to: spans.count, by: Self.batch) {
            let some = Array(spans[start..<min(start + Self.batch, spans.count)])
            // After one failure the rest would only wait for the same.
            let message =
                isTaken
                ? try? JSONValue(encoding: OTLPMessage(some, service: service, version: version)).encoded() : nil
            if let message, await send(message) { continue }
            isTaken = false
            state.withLock { $0.dropped += some.count }
        }
        return isTaken
    }
}
