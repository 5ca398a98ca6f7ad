public import Formats

/// A piece of a source that is read, cut and searched by itself: a file, a page, an entry.
public struct Document: Sendable {
    public enum Status: String, Sendable, CaseIterable {
        /// Found.
        case pending = "PENDING"
        case processing = "PROCESSING"
        case completed = "COMPLETED"
        /// On a refresh: the chunks of before stay.
        case failed = "FAILED"
    }

    public var id: DocumentID
    public var asset: AssetID
    public var fileName: String
    public var contentType: String?
    /// The address where a person opens it; `nil` for uploads.
    public var sourceURL: String?
    /// In bytes.
    public var fileSize: Int?
    public var status: Status
    public var chunkCount: Int
    /// The sum over its chunks.
    public var tokenCount: Int
    public var failure: Failure?
    public var createdAt: Timestamp
    public var modifiedAt: Timestamp
    /// The last time that it became COMPLETED.
    public var processedAt: Timestamp?

    public struct Failure: Error, Sendable, Hashable {
        public var code: Code
        /// For people: what happened, and what to do.
        public var message: String

        public init(_ code: Code, _ message: String) {
            self.code = code
            self.message = message
        }
    }

    /// The codes of a document's failure (CONTRACT-ASSETS, "Document").
    public enum Code: String, Sendable, CaseIterable {
        case tooLarge = "too_large"
        case unsupportedType = "unsupported_type"
        /// Broken, encrypted, or not text.
        case unreadable
        case sourceUnreachable = "source_unreachable"
        case sourceTimeout = "source_timeout"
        case sourceRejected = "source_rejected"
        case sourceAddressRefused = "source_address_refused"
        case embedderFailed = "embedder_failed"
        /// It was in work at three ends of the process.
        case crashed
    }

    public init(
        id: DocumentID, asset: AssetID, fileName: String, contentType: String? = nil, sourceURL: String? = nil,
        fileSize: Int? = nil, status: Status = .pending, chunkCount: Int = 0, tokenCount: Int = 0,
        failure: Failure? = nil, createdAt: Timestamp, modifiedAt: Timestamp, processedAt: Timestamp? = nil
    ) {
        self.id = id
        self.asset = asset
        self.fileName = fileName
        self.contentType = contentType
        self.sourceURL = sourceURL
        self.fileSize = fileSize
        self.status = status
        self.chunkCount = chunkCount
        self.tokenCount = tokenCount
        self.failure = failure
        self.createdAt = createdAt
        self.modifiedAt = modifiedAt
        self.processedAt = processedAt
    }
}
