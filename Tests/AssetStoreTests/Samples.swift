import AssetStore
import Assets
import Formats
import Foundation
import Secrets
import Testing

extension Timestamp {
    /// 2026-01-01T00:00:00Z, and seconds after it.
    static func at(_ second: Int64) -> Timestamp { Timestamp(milliseconds: 1_767_225_600_000 + second * 1000) }
}

extension TenantID {
    static let acme = TenantID("acme")!
    static let globex = TenantID("globex")!
}

extension EmbeddingModel.Name {
    static let small = EmbeddingModel.Name(provider: "openai", model: "small")
}

/// A document's text, cut into one chunk for each of `pieces`.
func cut(_ pieces: String..., from first: Int = 0) -> [StagedChunk] {
    pieces.enumerated().map { index, piece in
        StagedChunk(
            Chunk(
                index: first + index, content: piece, headingPath: "A > B", page: 2, scalars: 0..<piece.count,
                lines: 1...3, tokenCount: piece.utf8.count))
    }
}

extension SourceItem {
    init(_ key: String, version: String? = nil) {
        self.init(key: key, fileName: "\(key).md", version: version.map { ItemVersion($0) })
    }
}

extension ReadDocument {
    init(_ item: SourceItem, version: String) {
        self.init(
            fileName: item.fileName, contentType: "text/markdown", sourceURL: "https://example.com/\(item.key)",
            size: 12,
            version: ItemVersion(version), chunkCount: 0, tokenCount: 0)
    }
}

extension ItemAdmission {
    var queued: [QueuedItem]? { if case .added(let queued, _) = self { queued } else { nil } }
    var isFull: Bool? { if case .added(_, let isFull) = self { isFull } else { nil } }
    var hasEnded: Bool { if case .ended = self { true } else { false } }
}

/// Short ways to the calls that most tests make.
extension SQLiteAssetStore {
    /// Keeps an asset and its first operation.
    @discardableResult
    func make(
        _ name: String = "Handbook", of tenant: TenantID = .acme, model: EmbeddingModel.Name? = nil,
        credentials: [UInt8]? = nil, upload: Upload? = nil, idempotency: IdempotencyKey? = nil, at second: Int64 = 0
    ) async throws -> Asset {
        let asset = Asset(
            id: AssetID(UUID()), tenant: tenant, displayName: name,
            source: Asset.Source(type: "website", parameters: [:], hasCredentials: credentials != nil),
            embedding: EmbeddingSettings(model: model, chunkSize: 512, chunkOverlap: 64), createdAt: .at(second),
            modifiedAt: .at(second), createdBy: "ada")
        let operation = AssetOperation(
            id: OperationID(UUID()), asset: asset.id, tenant: tenant, kind: .create, createdAt: .at(second),
            updatedAt: .at(second), model: model, createdBy: "ada")
        try await create(
            NewAsset(
                asset: asset, operation: operation, credentials: credentials.map { Sealed(stored: $0) }, upload: upload),
            idempotency: idempotency)
        return asset
    }

    /// The newest operation.
    func operation(of asset: Asset) async throws -> AssetOperation {
        let page = try await operations(of: asset.id, asset.tenant, PageRequest(size: 1))
        return try #require(page?.items.first)
    }

    func asset(_ asset: Asset) async throws -> Asset { try #require(try await self.asset(asset.id, of: asset.tenant)) }

    /// Begins a refresh and has it RUNNING.
    func startRefresh(
        of asset: Asset, documents: [DocumentID]? = nil, isForced: Bool = false, at second: Int64 = 100
    ) async throws -> Ingestion {
        let admission = try await refresh(
            NewRefresh(
                operation: OperationID(UUID()), asset: asset.id, tenant: asset.tenant, documents: documents,
                isForced: isForced, createdBy: "bob", now: .at(second)), idempotency: nil)
        guard case .begun = admission else { throw Unexpected(what: "\(admission)") }
        return try await start(at: second)
    }

    /// Has the oldest operation that waits RUNNING.
    func start(at second: Int64 = 1) async throws -> Ingestion {
        try #require(try await next(excluding: [], at: .at(second)))
    }

    /// Adds items and gives those that are to be read.
    @discardableResult
    func add(_ items: [SourceItem], to run: Ingestion, most: Int = 10_000) async throws -> [QueuedItem] {
        let admission = try await add(items, to: run.operation.id, mostDocuments: most, at: .at(2))
        return try #require(admission.queued)
    }

    @discardableResult
    func add(_ keys: String..., to run: Ingestion, most: Int = 10_000) async throws -> [QueuedItem] {
        try await add(keys.map { SourceItem($0) }, to: run, most: most)
    }

    /// Begins items, and gives the versions of their kept documents.
    func keptVersions(of queued: [QueuedItem], _ run: Ingestion) async throws -> [String?] {
        let beginning = try await begin(queued.map(\.id), of: run.operation.id, at: .at(2))
        guard case .begun(let versions) = beginning else { throw Unexpected(what: "\(beginning)") }
        return queued.map { versions[$0.id]?.text }
    }

    @discardableResult
    func finish(
        _ queued: QueuedItem, of run: Ingestion, _ outcome: ItemOutcome, most: Int = 10_000, at second: Int64 = 3
    ) async throws -> ItemAdmission {
        try await finish(
            [FinishedItem(queued.id, outcome)], of: run.operation.id, mostDocuments: most, at: .at(second))
    }

    /// Finishes an item with a text.
    @discardableResult
    func complete(
        _ queued: QueuedItem, of run: Ingestion, version: String = "1", _ chunks: [StagedChunk] = cut("text"),
        found: [SourceItem] = [], tokens: Int? = nil, at second: Int64 = 3
    ) async throws -> ItemAdmission {
        let outcome = ItemOutcome(
            .completed(ReadDocument(queued.item, version: version), last: chunks), found: found,
            tokensSpent: tokens ?? chunks.reduce(0) { $0 + $1.chunk.tokenCount })
        return try await finish(queued, of: run, outcome, at: second)
    }

    /// Ends a listing that was complete.
    @discardableResult
    func end(
        _ run: Ingestion, isComplete: Bool = true, keepsVanished: Bool = false, isFull: Bool = false,
        at second: Int64 = 4
    ) async throws -> AssetOperation {
        let end = IngestionEnd.listed(isComplete: isComplete, keepsVanished: keepsVanished, isFull: isFull)
        return try #require(try await self.end(run.operation.id, end, at: .at(second)))
    }

    /// Keeps an asset whose documents of these keys are read.
    func makeRead(_ keys: String..., model: EmbeddingModel.Name? = nil) async throws -> Asset {
        let asset = try await make(model: model)
        let run = try await start()
        for queued in try await add(keys.map { SourceItem($0) }, to: run) { try await complete(queued, of: run) }
        try await end(run)
        return asset
    }

    func documents(of asset: Asset, matching search: String? = nil) async throws -> [Document] {
        try #require(try await documents(of: asset.id, asset.tenant, matching: search, PageRequest(size: 1000))).items
    }

    func document(_ key: String, of asset: Asset) async throws -> Document {
        try #require(try await documents(of: asset).first { $0.fileName == "\(key).md" })
    }

    func texts(of document: Document, _ asset: Asset) async throws -> [String] {
        let page = try await chunks(of: document.id, asset.id, asset.tenant, PageRequest(size: 1000))
        return try #require(page).items.map(\.content)
    }
}

struct Unexpected: Error {
    var what: String
}

extension Document.Failure {
    static let unreadable = Document.Failure(.unreadable, "it is encrypted")
    static let unreachable = Document.Failure(.sourceUnreachable, "connection refused")
}
