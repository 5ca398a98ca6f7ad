public import Formats

/// A source that a tenant had read, with its documents.
public struct Asset: Sendable {
    public var id: AssetID
    public var tenant: TenantID
    /// 1 to 200 characters.
    public var displayName: String
    public var source: Source
    public var embedding: EmbeddingSettings
    /// Kept and told again; nothing reads it.
    public var embeddingLlmConfigID: String?
    public var status: EmbeddingStatus
    /// True from the first operation on that ended COMPLETED with an embedder.
    public var isVectorized: Bool
    public var documentCount: Int
    public var chunkCount: Int
    /// The sum over its operations.
    public var tokenCount: Int
    public var createdAt: Timestamp
    public var modifiedAt: Timestamp
    /// The `sub` of the caller.
    public var createdBy: String?

    /// A type of source, with what tells one source of the type from another.
    public struct Source: Sendable, Hashable {
        /// The name of the source type, such as `google_drive`.
        public var type: String
        /// Checked against the source type's properties, defaults not filled in.
        public var parameters: [String: ParameterValue]
        /// Credentials are sealed beside the asset.
        public var hasCredentials: Bool

        public init(type: String, parameters: [String: ParameterValue], hasCredentials: Bool) {
            self.type = type
            self.parameters = parameters
            self.hasCredentials = hasCredentials
        }
    }

    /// The state of the last operation, as an asset tells it.
    public enum EmbeddingStatus: String, Sendable, CaseIterable {
        case pending = "PENDING"
        case processing = "PROCESSING"
        case completed = "COMPLETED"
        /// Completed, and some documents failed.
        case partial = "PARTIAL"
        case failed = "FAILED"
        case cancelled = "CANCELLED"
    }

    public init(
        id: AssetID, tenant: TenantID, displayName: String, source: Source, embedding: EmbeddingSettings,
        embeddingLlmConfigID: String? = nil, status: EmbeddingStatus = .pending, isVectorized: Bool = false,
        documentCount: Int = 0, chunkCount: Int = 0, tokenCount: Int = 0, createdAt: Timestamp, modifiedAt: Timestamp,
        createdBy: String?
    ) {
        self.id = id
        self.tenant = tenant
        self.displayName = displayName
        self.source = source
        self.embedding = embedding
        self.embeddingLlmConfigID = embeddingLlmConfigID
        self.status = status
        self.isVectorized = isVectorized
        self.documentCount = documentCount
        self.chunkCount = chunkCount
        self.tokenCount = tokenCount
        self.createdAt = createdAt
        self.modifiedAt = modifiedAt
        self.createdBy = createdBy
    }
}
