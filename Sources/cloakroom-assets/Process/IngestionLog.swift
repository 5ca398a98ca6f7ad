import AssetServer
import AssetStore
import Assets
import HTTPService
import Logging

/// The log's lines of operations, and of what goes wrong behind them. No text of documents, no address, no secret.
struct IngestionLog: Sendable {
    private let logger: Logger

    init(_ logger: Logger) { self.logger = logger }

    func write(_ event: IngestionEvent) {
        switch event {
        case .started(let operation): logger.info("operation started", metadata: Self.metadata(operation))
        case .ended(let operation):
            var metadata = Self.metadata(operation)
            metadata["status"] = "\(operation.status.rawValue)"
            metadata["items"] = "\(operation.counters.itemsProcessed)"
            metadata["failed"] = "\(operation.counters.itemsFailed)"
            if let failure = operation.failure { metadata["code"] = "\(failure.code.rawValue)" }
            logger.log(level: operation.status == .failed ? .warning : .info, "operation ended", metadata: metadata)
        case .dropped(let id): logger.info("operation goes on at the next start", metadata: ["operation": "\(id)"])
        case .storeFailed(let id, let error):
            logger.error(
                "the database failed; the call is made again",
                metadata: ["operation": "\(id.map(\.description) ?? "none")", "reason": "\(error.words)"])
        case .internalError(let id, let error):
            logger.error("internal_error", metadata: ["operation": "\(id)", "reason": "\(Self.words(error))"])
        case .documentDone: break
        }
    }

    private static func words(_ error: IngestionEvent.InternalError) -> String {
        switch error {
        case .storeLost: "the database failed for an hour; the operation goes on at the next start"
        case .noReader(let sourceType): "nothing reads the source type \"\(sourceType)\" any more"
        }
    }

    private static func metadata(_ operation: AssetOperation) -> Logger.Metadata {
        [
            "operation": "\(operation.id)", "asset": "\(operation.asset)", "tenant": "\(operation.tenant)",
            "type": "\(operation.kind.rawValue)",
        ]
    }

    func write(_ event: StoreEvent) {
        switch event {
        case .notClosed(let reason):
            logger.error("the database was not closed as it should be", metadata: ["reason": "\(reason)"])
        case .committed, .failed, .refused: break
        }
    }

    /// An outage of the issuer of callers' tokens.
    func write(_ outage: IssuerOutage) {
        logger.error("callers' keys cannot be fetched", metadata: ["reason": "\(outage)"])
    }
}

extension AssetStoreMetrics {
    func count(_ event: StoreEvent) {
        switch event {
        case .committed(let operations, let duration): committed(operations, in: duration)
        case .failed: failed()
        case .refused: refused()
        case .notClosed: break
        }
    }
}
