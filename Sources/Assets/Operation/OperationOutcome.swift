/// The end of an operation, decided by what the ingestion says and by what was counted.
public struct OperationOutcome: Sendable, Hashable {
    public let status: AssetOperation.Status
    /// COMPLETED may have one too: documents that failed, or that had no room.
    public let failure: AssetOperation.Failure?
    public let embeddingStatus: Asset.EmbeddingStatus
    /// Documents whose items the source has no more are to be removed.
    public let removesVanished: Bool

    /// The facts of a run that its counters do not tell.
    public struct Facts: Sendable, Hashable {
        /// Documents that were read or skipped.
        public var worked: Int
        public var failed: Int
        /// The document that failed first, and why.
        public var firstFailure: String?
        /// The most documents of the asset, where one more was left out for it.
        public var fullAt: Int?
        /// Something was not read that might have led to more.
        public var isIncomplete: Bool
        /// Callers named the documents that were to be looked at.
        public var isChosen: Bool
        public var isCancelRequested: Bool

        public init(
            worked: Int, failed: Int, firstFailure: String?, fullAt: Int?, isIncomplete: Bool, isChosen: Bool,
            isCancelRequested: Bool
        ) {
            self.worked = worked
            self.failed = failed
            self.firstFailure = firstFailure
            self.fullAt = fullAt
            self.isIncomplete = isIncomplete
            self.isChosen = isChosen
            self.isCancelRequested = isCancelRequested
        }
    }

    /// Decides. A wish to end counts for more than how the run ended: a caller was told that nothing would follow.
    public init(_ end: IngestionEnd, _ facts: Facts) {
        switch end {
        case _ where facts.isCancelRequested: self = .cancelled
        case .cancelled: self = .cancelled
        case .failed(let failure): self.init(.failed, failure, .failed)
        case .listed(let isComplete, let keepsVanished, let isFull):
            let isFull = isFull || facts.fullAt != nil
            let isWhole = isComplete && !facts.isIncomplete && !isFull
            self.init(
                listed: facts, isFull: isFull, removesVanished: isWhole && !keepsVanished && !facts.isChosen)
        }
    }

    /// An operation whose end somebody asked for.
    public static let cancelled = OperationOutcome(.cancelled, nil, .cancelled)

    private init(
        _ status: AssetOperation.Status, _ failure: AssetOperation.Failure?, _ embeddingStatus: Asset.EmbeddingStatus,
        removesVanished: Bool = false
    ) {
        self.status = status
        self.failure = failure
        self.embeddingStatus = embeddingStatus
        self.removesVanished = removesVanished
    }

    private init(listed facts: Facts, isFull: Bool, removesVanished: Bool) {
        let full = isFull ? Self.fullness(facts.fullAt) : nil
        guard facts.failed > 0 else {
            let failure = full.map { AssetOperation.Failure(.tooManyDocuments, $0) }
            self.init(.completed, failure, .completed, removesVanished: removesVanished)
            return
        }
        let sentences = [Self.failures(facts), full].compactMap { $0 }
        let failure = AssetOperation.Failure(.documentsFailed, sentences.joined(separator: "; "))
        let hasWorked = facts.worked > 0
        self.init(
            hasWorked ? .completed : .failed, failure, hasWorked ? .partial : .failed,
            removesVanished: removesVanished)
    }

    private static func failures(_ facts: Facts) -> String {
        let all = facts.failed + facts.worked
        let first = facts.firstFailure.map { ", the first: \($0)" } ?? ""
        return "\(facts.failed) of \(all) \(all == 1 ? "document" : "documents") failed\(first)"
    }

    private static func fullness(_ most: Int?) -> String {
        let bound = most.map { " of \($0)" } ?? ""
        return "the source has more documents than the limit\(bound) allows: the rest was not read"
    }
}

extension Document.Failure {
    /// The item itself was not read, so that it is not known what it would have led to. Its address being closed is no
    /// such case: that is a rule, which holds at the next reading too.
    public var leftUnread: Bool {
        switch code {
        case .sourceUnreachable, .sourceTimeout, .sourceRejected, .tooLarge, .crashed: true
        case .unsupportedType, .unreadable, .sourceAddressRefused, .embedderFailed: false
        }
    }
}
