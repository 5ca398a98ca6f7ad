import AssetServer
import Assets
import Formats
import Logging

/// The log's lines of the work on operations, its metrics and its spans.
struct IngestionLog: Sendable {
    private let logger: Logger
    private let metrics: IngestionMetrics
    private let spans: IngestionSpans?

    init(_ logger: Logger, metrics: AssetMetrics, spans: IngestionSpans?) {
        self.spans = spans
        self.logger = logger
        self.metrics = metrics.ingestion
    }

    @Sendable func write(_ event: IngestionEvent) {
        metrics.count(event)
        spans?.add(event)
        switch event {
        case .started(let operation): logger.info("operation runs", metadata: operation.names)
        case .documentDone(let operation, let result, let chunks, let tokens):
            logger.debug(
                "document done",
                metadata: [
                    "operation": "\(operation)", "result": "\(result.word)", "chunks": "\(chunks)",
                    "tokens": "\(tokens)",
                ])
        case .ended(let operation): ended(operation)
        case .gone(let operation):
            logger.info("operation ended with its asset", metadata: ["operation": "\(operation)"])
        case .dropped(let operation):
            logger.info("operation goes on at the next start", metadata: ["operation": "\(operation)"])
        case .storeFailed(let operation, let error):
            var metadata: Logger.Metadata = ["reason": "\(error.words)"]
            if let operation { metadata["operation"] = "\(operation)" }
            logger.error("the store failed, and is asked again in a while", metadata: metadata)
        case .internalError(let operation, let error):
            logger.error("operation cannot go on", metadata: ["operation": "\(operation)", "reason": "\(error.words)"])
        }
    }

    private func ended(_ operation: AssetOperation) {
        var metadata = operation.names
        metadata["status"] = "\(operation.status.rawValue)"
        metadata["items"] = "\(operation.counters.itemsProcessed)"
        metadata["failed"] = "\(operation.counters.itemsFailed)"
        metadata["tokens"] = "\(operation.counters.tokenCount)"
        if let failure = operation.failure {
            metadata["code"] = "\(failure.code.rawValue)"
            metadata["reason"] = "\(failure.message)"
        }
        logger.info("operation ended", metadata: metadata)
    }
}

extension AssetOperation {
    fileprivate var names: Logger.Metadata {
        ["operation": "\(id)", "asset": "\(asset)", "tenant": "\(tenant)", "type": "\(kind.rawValue)"]
    }
}

extension IngestionEvent.Result {
    fileprivate var word: String {
        switch self {
        case .completed: "completed"
        case .unchanged: "unchanged"
        case .absent: "absent"
        case .failed(let code): code.rawValue
        }
    }
}

extension IngestionEvent.InternalError {
    fileprivate var words: String {
        switch self {
        case .storeLost: "the store could not be reached"
        case .noReader(let sourceType): "nothing reads sources of the type \(sourceType.quoted) any more"
        }
    }
}

extension AssetStoreError {
    /// For operators.
    var words: String {
        switch self {
        case .unavailable(let reason): reason
        case .closed: "the store is closed"
        }
    }
}
