public import Formats

/// One run over a source: its first reading, or a later one.
public struct AssetOperation: Sendable {
    public enum Kind: String, Sendable {
        case create = "CREATE"
        case refresh = "REFRESH"
    }

    public enum Status: String, Sendable, CaseIterable {
        case pending = "PENDING"
        case running = "RUNNING"
        case completed = "COMPLETED"
        case failed = "FAILED"
        case cancelled = "CANCELLED"

        /// It never changes again.
        public var isDone: Bool { self == .completed || self == .failed || self == .cancelled }
    }

    public var id: OperationID
    public var asset: AssetID
    public var tenant: TenantID
    public var kind: Kind
    public var status: Status
    public var createdAt: Timestamp
    /// Greater than that of every older operation of the asset.
    public var updatedAt: Timestamp
    public var startedAt: Timestamp?
    public var completedAt: Timestamp?
    public var counters: Counters
    /// The model whose price the tokens have; `nil` without embedder.
    public var model: EmbeddingModel.Name?
    public var failure: Failure?
    public var createdBy: String?
    /// Somebody wants it to end. Kept, so that a crash does not resume it.
    public var isCancelRequested: Bool

    /// None of them ever goes back.
    public struct Counters: Sendable, Hashable {
        public var itemsTotal = 0
        /// Finished, whatever came of them: failed and skipped ones are among them.
        public var itemsProcessed = 0
        public var itemsFailed = 0
        public var itemsSkipped = 0
        /// Documents of items that the source has no more.
        public var itemsRemoved = 0
        /// Those that this operation wrote.
        public var chunkCount = 0
        /// Those that it spent: the embedder's word, else the counter's.
        public var tokenCount = 0

        public init() {}
    }

    /// The end of an operation that failed, or completed with failures.
    public struct Failure: Sendable, Hashable {
        public var code: Code
        /// For people: what happened, and what to do.
        public var message: String

        public init(_ code: Code, _ message: String) {
            self.code = code
            self.message = message
        }
    }

    /// The codes of an operation's end (CONTRACT-ASSETS, "Operation").
    public enum Code: String, Sendable, CaseIterable {
        case reauthorizationRequired = "reauthorization_required"
        case sourceUnreachable = "source_unreachable"
        case sourceTimeout = "source_timeout"
        case sourceRejected = "source_rejected"
        case sourceAddressRefused = "source_address_refused"
        case brokerUnreachable = "broker_unreachable"
        case embedderFailed = "embedder_failed"
        case documentsFailed = "documents_failed"
        case tooManyDocuments = "too_many_documents"
        case internalError = "internal_error"
    }

    public init(
        id: OperationID, asset: AssetID, tenant: TenantID, kind: Kind, status: Status = .pending,
        createdAt: Timestamp, updatedAt: Timestamp, startedAt: Timestamp? = nil, completedAt: Timestamp? = nil,
        counters: Counters = Counters(), model: EmbeddingModel.Name?, failure: Failure? = nil, createdBy: String?,
        isCancelRequested: Bool = false
    ) {
        self.id = id
        self.asset = asset
        self.tenant = tenant
        self.kind = kind
        self.status = status
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.startedAt = startedAt
        self.completedAt = completedAt
        self.counters = counters
        self.model = model
        self.failure = failure
        self.createdBy = createdBy
        self.isCancelRequested = isCancelRequested
    }
}
