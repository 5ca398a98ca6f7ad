public import Assets
import Formats
import HTTPService
public import OTLPTracing
import Secrets
import ServiceContextModule
import Tracing

/// The spans of operations: each begins a trace of its own when the operation runs, or goes on after a restart, and ends
/// with it. What they tell, the log tells too.
public final class IngestionSpans: Sendable {
    private let tracer: OTLPTracer
    private let running = Locked<[OperationID: RecordedSpan]>([:])

    public init(_ tracer: OTLPTracer) { self.tracer = tracer }

    /// Does not block.
    public func add(_ event: IngestionEvent) {
        switch event {
        case .started(let operation): start(operation)
        case .ended(let operation): end(operation)
        case .gone(let operation), .dropped(let operation): take(operation)?.end()
        // The operation goes on, or ends by itself.
        case .documentDone, .storeFailed, .internalError: break
        }
    }

    private func start(_ operation: AssetOperation) {
        let span = tracer.startSpan("ingest", context: .topLevel, ofKind: .internal)
        guard span.isRecording else { return }
        span.updateAttributes { attributes in
            attributes["cloakroom.tenant"] = operation.tenant.description
            attributes["cloakroom.asset"] = operation.asset.description
            attributes["cloakroom.operation"] = operation.id.description
            attributes["cloakroom.operation_type"] = operation.kind.rawValue
        }
        running.withLock { $0[operation.id] = span }
    }

    private func end(_ operation: AssetOperation) {
        guard let span = take(operation.id) else { return }
        span.updateAttributes { attributes in
            attributes["cloakroom.status"] = operation.status.rawValue
            attributes["cloakroom.items"] = operation.counters.itemsProcessed
            attributes["cloakroom.items_failed"] = operation.counters.itemsFailed
            attributes["cloakroom.tokens"] = operation.counters.tokenCount
            if let failure = operation.failure { attributes["cloakroom.code"] = failure.code.rawValue }
        }
        if operation.status == .failed {
            span.end(failing: (operation.failure?.code ?? .internalError).rawValue)
        } else {
            span.end()
        }
    }

    private func take(_ operation: OperationID) -> RecordedSpan? {
        running.withLock { $0.removeValue(forKey: operation) }
    }
}
