public import Assets
import CoreMetrics
import Formats
import PrometheusMetrics
import Synchronization

/// Metrics of operations and documents.
public final class IngestionMetrics: Sendable {
    static let started = "cloakroom_assets_operations_started_total"
    static let ended = "cloakroom_assets_operations_ended_total"
    static let duration = "cloakroom_assets_operation_duration_seconds"
    static let documents = "cloakroom_assets_documents_total"
    static let chunks = "cloakroom_assets_chunks_total"
    static let tokens = "cloakroom_assets_tokens_total"

    private let running = Atomic<Int>(0)
    private let waiting = Atomic<Int>(0)
    private let startedCount: Counter
    private let duration: CoreMetrics.Timer
    /// By outcome.
    private let ends: [String: Counter]
    private let documents: [String: Counter]
    private let chunks: Counter
    private let tokens: Counter

    init(_ registry: PrometheusRegistry) {
        startedCount = Counter(label: Self.started, factory: registry)
        duration = CoreMetrics.Timer(label: Self.duration, dimensions: [], factory: registry)
        let counters = { (label: String, outcomes: [String]) in
            Dictionary(
                uniqueKeysWithValues: outcomes.map {
                    ($0, Counter(label: label, dimensions: [("outcome", $0)], factory: registry))
                })
        }
        ends = counters(
            Self.ended, ["completed", "partial", "cancelled"] + AssetOperation.Code.allCases.map(\.rawValue))
        documents = counters(
            Self.documents, ["completed", "unchanged", "absent"] + Document.Code.allCases.map(\.rawValue))
        chunks = Counter(label: Self.chunks, factory: registry)
        tokens = Counter(label: Self.tokens, factory: registry)
        registry.declare(
            Family("cloakroom_assets_operations_running", .gauge, help: "Operations that run.")
        ) { [weak self] in [Sample(Double(self?.running.load(ordering: .relaxed) ?? 0))] }
        registry.declare(
            Family("cloakroom_assets_operations_waiting", .gauge, help: "Operations that wait for their turn.")
        ) { [weak self] in [Sample(Double(self?.waiting.load(ordering: .relaxed) ?? 0))] }
    }

    /// Counts what happened. Does not block.
    public func count(_ event: IngestionEvent) {
        switch event {
        case .started:
            startedCount.increment()
            running.add(1, ordering: .relaxed)
        case .documentDone(_, let result, let chunks, let tokens):
            documents[Self.outcome(result)]?.increment()
            self.chunks.increment(by: chunks)
            self.tokens.increment(by: tokens)
        case .ended(let operation):
            running.subtract(1, ordering: .relaxed)
            ends[Self.outcome(operation)]?.increment()
            if let startedAt = operation.startedAt, let completedAt = operation.completedAt {
                duration.recordMilliseconds(max(completedAt.milliseconds - startedAt.milliseconds, 0))
            }
        case .gone, .dropped: running.subtract(1, ordering: .relaxed)
        // The log tells of them; an operation that met one ends all the same.
        case .storeFailed, .internalError: break
        }
    }

    /// Tells how many operations wait. Only the store knows, which is asked now and then.
    public func waiting(_ count: Int) { waiting.store(count, ordering: .relaxed) }

    private static func outcome(_ result: IngestionEvent.Result) -> String {
        switch result {
        case .completed: "completed"
        case .unchanged: "unchanged"
        case .absent: "absent"
        case .failed(let code): code.rawValue
        }
    }

    private static func outcome(_ operation: AssetOperation) -> String {
        switch (operation.status, operation.failure?.code) {
        case (.cancelled, _): "cancelled"
        case (.completed, .documentsFailed?): "partial"
        case (.completed, _): "completed"
        case (_, let code): (code ?? .internalError).rawValue
        }
    }

    static let families = [
        Family(started, .counter, help: "Operations that began to run, or went on after a restart."),
        Family(
            ended, .counter,
            help:
                "Operations that ended, by outcome: completed, partial (some documents failed), cancelled, or why not."),
        Family(
            duration, .histogram([1, 5, 15, 60, 300, 900, 3600, 14_400]), help: "Time from the first step to the end."),
        Family(documents, .counter, help: "Documents that were worked on, by outcome."),
        Family(chunks, .counter, help: "Chunks written."),
        Family(tokens, .counter, help: "Tokens spent: the embedder's word, else bytes divided by four."),
    ]
}
