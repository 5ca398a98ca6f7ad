import AssetStore
import Assets
import Formats
import Foundation
import Secrets
import Testing

/// A real store, and an engine that runs what a test puts into it.
final class Workshop: Sendable {
    let folder: TemporaryFolder
    let store: SQLiteAssetStore
    let ingestions: Ingestions
    private let events: EventLog
    private let run: Task<Void, Never>

    /// - Parameters:
    ///   - sources: by the names of their assets.
    ///   - adjust: changes what the engine is made of.
    init(
        in folder: TemporaryFolder? = nil, _ sources: [String: ScriptedSource], embedder: ScriptedEmbedder? = nil,
        operations: Int = 4, documents: Int = 4, maxDocuments: Int = 1000, maxDocumentBytes: Int = 1_000_000,
        adjust: (inout IngestionParts, SQLiteAssetStore) -> Void = { _, _ in }
    ) async throws {
        let folder = try folder ?? TemporaryFolder()
        let store = try SQLiteAssetStore(path: folder.database)
        let events = EventLog()
        let clock = Ticks()
        var parts = IngestionParts(
            store: store, readers: ScriptedReaders(sources: sources), extractor: LineExtractor(),
            tokens: { _ in nil }, embedder: { $0 == .small ? embedder : nil }, observe: { events.note($0) },
            now: { clock.next() })
        adjust(&parts, store)
        let ingestions = Ingestions(
            parts,
            limits: IngestionLimits(
                operations: operations, documents: documents, maxDocuments: maxDocuments,
                maxDocumentBytes: maxDocumentBytes))
        try await ingestions.recover()
        self.folder = folder
        self.store = store
        self.events = events
        self.ingestions = ingestions
        run = Task { await ingestions.run() }
    }

    /// Ends the engine and closes the store.
    func close() async {
        await ingestions.stop()
        await run.value
        await store.close()
    }

    /// Returns once `run` has returned, as it does after `stop`.
    func runEnds() async { await run.value }

    // MARK: callers

    /// Makes an asset with its first operation, which the engine starts when it can.
    @discardableResult
    func create(
        _ name: String, of tenant: TenantID = .acme, model: EmbeddingModel.Name? = nil
    ) async throws -> (asset: Asset, operation: OperationID) {
        let asset = Asset(
            id: AssetID(UUID()), tenant: tenant, displayName: name,
            source: Asset.Source(type: "website", parameters: [:], hasCredentials: false),
            embedding: EmbeddingSettings(model: model, chunkSize: 512, chunkOverlap: 64), createdAt: .start,
            modifiedAt: .start, createdBy: "ada")
        let operation = AssetOperation(
            id: OperationID(UUID()), asset: asset.id, tenant: tenant, kind: .create, createdAt: .start,
            updatedAt: .start, model: model, createdBy: "ada")
        try await store.create(NewAsset(asset: asset, operation: operation), idempotency: nil)
        ingestions.wake()
        return (asset, operation.id)
    }

    func refresh(
        _ asset: Asset, documents: [DocumentID]? = nil, isForced: Bool = false
    ) async throws -> OperationID {
        let id = OperationID(UUID())
        let admission = try await store.refresh(
            NewRefresh(
                operation: id, asset: asset.id, tenant: asset.tenant, documents: documents, isForced: isForced,
                createdBy: "bob", now: .start), idempotency: nil)
        guard case .begun = admission else { throw Unexpected(what: "\(admission)") }
        ingestions.wake()
        return id
    }

    /// Does what `:cancel` does.
    func cancel(_ operation: OperationID, of asset: Asset) async throws -> AssetOperation {
        let told = try await store.cancel(operation, of: asset.id, asset.tenant, at: .start)
        await ingestions.cancel(operation)
        return try #require(told)
    }

    // MARK: looking

    /// The operation once it has ended.
    func end(of operation: OperationID) async -> AssetOperation {
        await events.first { event in
            if case .ended(let ended) = event, ended.id == operation { ended } else { nil }
        }
    }

    /// Runs a first operation to its end.
    func ingest(
        _ name: String, model: EmbeddingModel.Name? = nil
    ) async throws -> (asset: Asset, ended: AssetOperation) {
        let (asset, operation) = try await create(name, model: model)
        return (asset, await end(of: operation))
    }

    /// Runs a refresh to its end.
    func ingestAgain(
        _ asset: Asset, documents: [DocumentID]? = nil, isForced: Bool = false
    ) async throws -> AssetOperation {
        await end(of: try await refresh(asset, documents: documents, isForced: isForced))
    }

    /// Returns once `fact` of an event is not `nil`, be it of one that came already.
    @discardableResult
    func event<Fact: Sendable>(_ fact: @escaping @Sendable (IngestionEvent) -> Fact?) async -> Fact {
        await events.first(fact)
    }

    /// Returns once so many documents are done.
    func documentsDone(_ count: Int) async {
        let done = Locked(0)
        await events.first { event -> Bool? in
            guard case .documentDone = event else { return nil }
            return done.withLock { done in
                done += 1
                return done == count ? true : nil
            }
        }
    }

    var toldEvents: [IngestionEvent] { events.all }

    func operation(_ id: OperationID, of asset: Asset) async throws -> AssetOperation {
        try #require(try await store.operation(id, of: asset.id, asset.tenant))
    }

    func documents(of asset: Asset) async throws -> [Document] {
        let page = try await store.documents(of: asset.id, asset.tenant, matching: nil, PageRequest(size: 1000))
        return try #require(page).items
    }

    func document(_ key: String, of asset: Asset) async throws -> Document {
        try #require(try await documents(of: asset).first { $0.fileName == "\(key).txt" })
    }

    func texts(_ key: String, of asset: Asset) async throws -> [String] {
        let document = try await document(key, of: asset)
        let page = try await store.chunks(of: document.id, asset.id, asset.tenant, PageRequest(size: 1000))
        return try #require(page).items.map(\.content)
    }
}

/// What an engine told, for tests that wait for it.
final class EventLog: Sendable {
    private struct State: Sendable {
        var events: [IngestionEvent] = []
        var watchers: [@Sendable (IngestionEvent) -> Bool] = []
    }

    private let state = Locked(State())

    var all: [IngestionEvent] { state.withLock { $0.events } }

    func note(_ event: IngestionEvent) {
        // A watcher does no more than let a test go on.
        state.withLock { state in
            state.events.append(event)
            state.watchers.removeAll { $0(event) }
        }
    }

    /// The fact of the first event that has it, of those to come and those that came.
    @discardableResult
    func first<Fact: Sendable>(_ fact: @escaping @Sendable (IngestionEvent) -> Fact?) async -> Fact {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state -> Fact? in
                for event in state.events { if let known = fact(event) { return known } }
                state.watchers.append { event in
                    guard let found = fact(event) else { return false }
                    continuation.resume(returning: found)
                    return true
                }
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }
}

/// A clock that goes on by a second each time that it is read.
final class Ticks: Sendable {
    private let second = Locked(Int64(0))

    func next() -> Timestamp {
        Timestamp.start.adding(
            seconds: second.withLock { second in
                second += 1
                return second
            })
    }
}

struct Unexpected: Error {
    var what: String
}

extension Timestamp {
    /// 2026-01-01T00:00:00Z.
    static let start = Timestamp(milliseconds: 1_767_225_600_000)
}

extension TenantID {
    static let acme = TenantID("acme")!
    static let globex = TenantID("globex")!
}

extension EmbeddingModel.Name {
    static let small = EmbeddingModel.Name(provider: "openai", model: "small")
}

extension SourceFault {
    /// Waits until the task is cancelled, as a server that never answers has one wait.
    static func never() async throws(SourceFault) {
        do { try await Task.sleep(for: .seconds(86_400)) } catch { throw .cancelled }
    }
}
