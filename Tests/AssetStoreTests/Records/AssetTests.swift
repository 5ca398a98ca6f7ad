import AssetStore
import Assets
import Formats
import Foundation
import Secrets
import Testing

@Suite struct AssetTests {
    private let folder: TemporaryFolder
    private let store: SQLiteAssetStore

    init() throws {
        folder = try TemporaryFolder()
        store = try SQLiteAssetStore(path: folder.database)
    }

    @Test func `an asset comes back as it was kept`() async throws {
        let parameters: [String: ParameterValue] = [
            "url": .string("https://exämple.com/\u{0}\"\\"), "recursive": .boolean(true), "one": .integer(1),
            "most": .integer(.max), "least": .integer(.min), "empty": .string(""),
        ]
        let asset = Asset(
            id: AssetID(UUID()), tenant: .acme, displayName: "Händbook \u{1F4D6}",
            source: Asset.Source(type: "website", parameters: parameters, hasCredentials: true),
            embedding: EmbeddingSettings(model: .small, chunkSize: 300, chunkOverlap: 30),
            embeddingLlmConfigID: "llm-1",
            createdAt: .at(1), modifiedAt: .at(2), createdBy: "ada")
        let operation = AssetOperation(
            id: OperationID(UUID()), asset: asset.id, tenant: .acme, kind: .create, createdAt: .at(1),
            updatedAt: .at(2),
            model: .small, createdBy: "ada")
        try await store.create(
            NewAsset(asset: asset, operation: operation, credentials: Sealed(stored: [1, 2, 3])), idempotency: nil)
        let kept = try await store.asset(asset)
        #expect(kept.source == asset.source)
        #expect(kept.embedding == asset.embedding)
        #expect(kept.displayName == asset.displayName)
        #expect(kept.embeddingLlmConfigID == "llm-1")
        #expect((kept.createdAt, kept.modifiedAt, kept.createdBy) == (.at(1), .at(2), "ada"))
        #expect((kept.status, kept.isVectorized) == (.pending, false))
        let keptOperation = try await store.operation(of: asset)
        #expect((keptOperation.id, keptOperation.kind, keptOperation.status) == (operation.id, .create, .pending))
        #expect((keptOperation.createdAt, keptOperation.updatedAt) == (.at(1), .at(2)))
        #expect(keptOperation.startedAt == nil && keptOperation.completedAt == nil && keptOperation.failure == nil)
        #expect(keptOperation.model == .small && keptOperation.createdBy == "ada" && !keptOperation.isCancelRequested)
    }

    @Test func `an asset without what may be missing comes back without it`() async throws {
        let asset = try await store.asset(try await store.make())
        #expect(asset.embedding.model == nil && asset.embeddingLlmConfigID == nil && !asset.source.hasCredentials)
        #expect(try await store.credentials(of: asset.id) == nil)
    }

    /// What another tenant made is as what nobody made.
    @Test func `another tenant finds nothing`() async throws {
        let asset = try await store.makeRead("a")
        let (operation, document) = (try await store.operation(of: asset), try await store.document("a", of: asset))
        #expect(try await store.asset(asset.id, of: .globex) == nil)
        #expect(try await store.operation(operation.id, of: asset.id, .globex) == nil)
        #expect(try await store.operations(of: asset.id, .globex, PageRequest()) == nil)
        #expect(try await store.cancel(operation.id, of: asset.id, .globex, at: .at(9)) == nil)
        #expect(try await store.documents(of: asset.id, .globex, matching: nil, PageRequest()) == nil)
        #expect(try await store.document(document.id, of: asset.id, .globex) == nil)
        #expect(try await store.chunks(of: document.id, asset.id, .globex, PageRequest()) == nil)
        #expect(try await !store.deleteDocument(document.id, of: asset.id, .globex))
        #expect(try await store.delete(asset.id, of: .globex) == nil)
        #expect(try await store.change(asset.id, of: .globex, displayName: "x", credentials: nil, at: .at(9)) == nil)
        #expect(try await store.assets(of: .globex, matching: nil, PageRequest()).totalCount == 0)
        let refresh = NewRefresh(
            operation: OperationID(UUID()), asset: asset.id, tenant: .globex, documents: nil, isForced: false,
            createdBy: nil, now: .at(9))
        guard case .noAsset = try await store.refresh(refresh, idempotency: nil) else {
            Issue.record("another tenant began a refresh")
            return
        }
        #expect(try await store.asset(asset).displayName == "Handbook")
    }

    @Test func `what belongs to another asset is not found`() async throws {
        let (asset, other) = (try await store.makeRead("a"), try await store.make("Other"))
        let (operation, document) = (try await store.operation(of: asset), try await store.document("a", of: asset))
        #expect(try await store.operation(operation.id, of: other.id, .acme) == nil)
        #expect(try await store.cancel(operation.id, of: other.id, .acme, at: .at(9)) == nil)
        #expect(try await store.document(document.id, of: other.id, .acme) == nil)
        #expect(try await store.chunks(of: document.id, other.id, .acme, PageRequest()) == nil)
        #expect(try await !store.deleteDocument(document.id, of: other.id, .acme))
    }

    @Test func `a change changes what it names`() async throws {
        let asset = try await store.make(credentials: [1])
        var changed = try await store.change(asset.id, of: .acme, displayName: "Manual", credentials: nil, at: .at(5))
        #expect(changed?.displayName == "Manual")
        #expect(changed?.modifiedAt == .at(5))
        #expect(try await store.credentials(of: asset.id)?.bytes == [1])
        changed = try await store.change(
            asset.id, of: .acme, displayName: nil, credentials: Sealed(stored: [2]), at: .at(4))
        #expect(changed?.displayName == "Manual")
        #expect(changed?.modifiedAt == .at(5))
        #expect(try await store.credentials(of: asset.id)?.bytes == [2])
        #expect(try await store.assets(of: .acme, matching: "manual", PageRequest()).items.map(\.id) == [asset.id])
        #expect(try await store.assets(of: .acme, matching: "handbook", PageRequest()).items.isEmpty)
    }

    @Test func `refreshed credentials replace those that they were made of, and no others`() async throws {
        let asset = try await store.make(credentials: [1])
        let (old, new, newer) = (
            Sealed<AssetCredentials>(stored: [1]), Sealed<AssetCredentials>(stored: [2]),
            Sealed<AssetCredentials>(stored: [3])
        )
        #expect(try await store.replace(old, by: new, of: asset.id))
        #expect(try await !store.replace(old, by: newer, of: asset.id))
        #expect(try await store.credentials(of: asset.id) == new)
        #expect(try await !store.replace(old, by: new, of: AssetID(UUID())))
    }

    // MARK: lists

    @Test func `assets are listed from the newest on, of one tenant`() async throws {
        for name in ["one", "two", "three"] { try await store.make(name, at: 7) }
        try await store.make("other", of: .globex)
        let page = try await store.assets(of: .acme, matching: nil, PageRequest())
        #expect(page.items.map(\.displayName) == ["three", "two", "one"])
        #expect(page.totalCount == 3)
        #expect(page.next == nil)
    }

    @Test func `pages go on where the one before ended, whatever was added or deleted since`() async throws {
        for name in 1...5 { try await store.make("\(name)") }
        let first = try await store.assets(of: .acme, matching: nil, PageRequest(size: 2))
        #expect(first.items.map(\.displayName) == ["5", "4"])
        #expect(first.totalCount == 5)
        _ = try await store.delete(first.items[1].id, of: .acme)
        _ = try await store.delete(first.items[0].id, of: .acme)
        try await store.make("6")
        let second = try await store.assets(of: .acme, matching: nil, PageRequest(size: 2, after: first.next))
        #expect(second.items.map(\.displayName) == ["3", "2"])
        let third = try await store.assets(of: .acme, matching: nil, PageRequest(size: 2, after: second.next))
        #expect(third.items.map(\.displayName) == ["1"])
        #expect(third.next == nil)
    }

    @Test func `a skip passes over as many`() async throws {
        for name in 1...5 { try await store.make("\(name)") }
        let page = try await store.assets(of: .acme, matching: nil, PageRequest(size: 2, skip: 1))
        #expect(page.items.map(\.displayName) == ["4", "3"])
        let beyond = try await store.assets(
            of: .acme, matching: nil, PageRequest(size: 2, after: page.next, skip: .max))
        #expect(beyond.items.isEmpty && beyond.next == nil)
        #expect(beyond.totalCount == 5)
    }

    @Test(arguments: [
        ("HANDBOOK", ["Das Handbook"]), ("äRGER", ["ÄRGER und mehr"]), ("a\u{308}rger", ["ÄRGER und mehr"]),
        ("strasse", ["Straße"]), ("σασ", ["ΣΑΣ"]), ("", ["100%_", "ΣΑΣ", "Straße", "ÄRGER und mehr", "Das Handbook"]),
        ("%", ["100%_"]), ("_", ["100%_"]), ("nothing", []), ("a handbook is more than this", []),
    ])
    func `a search looks in the names whatever the letters' case`(_ search: String, _ names: [String]) async throws {
        for name in ["Das Handbook", "ÄRGER und mehr", "Straße", "ΣΑΣ", "100%_"] { try await store.make(name) }
        let page = try await store.assets(of: .acme, matching: search, PageRequest())
        #expect(page.items.map(\.displayName) == names)
        #expect(page.totalCount == names.count)
    }

    /// Unicode's normal form takes a time that grows with the square of a run of marks.
    @Test func `a name of marks alone is kept in no time`() async throws {
        let marks = String(repeating: "\u{301}\u{316}", count: 500_000)
        try await store.make(marks)
        let page = try await store.assets(of: .acme, matching: marks, PageRequest())
        #expect(page.totalCount == 1)
        #expect(page.items[0].displayName.utf8.count == marks.utf8.count)
    }

    // MARK: deletion

    @Test func `a deleted asset takes all that belongs to it along`() async throws {
        let upload = Upload(storedName: "00", fileName: "a.md", contentType: "text/markdown", size: 3, digest: "ff")
        let asset = try await store.make(model: .small, credentials: [1], upload: upload)
        let run = try await store.start()
        #expect(run.upload == upload)
        let queued = try await store.add("a", "b", to: run)
        try await store.complete(queued[0], of: run, [StagedChunk(cut("x")[0].chunk, vector: [1])])
        _ = try await store.stage(cut("y"), of: queued[1].id, of: run.operation.id)
        let deleted = try #require(try await store.delete(asset.id, of: .acme))
        #expect(deleted.upload == upload)
        #expect(deleted.operation == run.operation.id)
        for table in [
            "assets", "operations", "documents", "chunks", "vectors", "items", "chosen_documents", "discarded_texts",
        ] { #expect(try folder.number("SELECT count(*) FROM \(table)") == 0, "\(table)") }
        #expect(try await store.delete(asset.id, of: .acme) == nil)
        #expect(try await store.asset(asset.id, of: .acme) == nil)
    }

    @Test func `a deleted asset leaves others as they are`() async throws {
        let (kept, gone) = (try await store.makeRead("a", "b"), try await store.makeRead("a"))
        #expect(try await store.delete(gone.id, of: .acme)?.operation == nil)
        #expect(try await store.texts(of: try await store.document("a", of: kept), kept) == ["text"])
        #expect(try await store.asset(kept).chunkCount == 2)
    }

    /// In pieces, so that others' commits come in between.
    @Test func `an asset of many chunks is deleted to the last`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        for queued in try await store.add("a", "b", "c", to: run) {
            for part in 0..<3 {
                let chunks = (0..<900).map { cut("x", from: part * 900 + $0)[0] }
                _ = try await store.stage(chunks, of: queued.id, of: run.operation.id)
            }
            try await store.complete(queued, of: run, [])
        }
        #expect(try await store.asset(asset).chunkCount == 8100)
        _ = try await store.delete(asset.id, of: .acme)
        #expect(try folder.number("SELECT count(*) FROM chunks") == 0)
        #expect(try folder.number("SELECT count(*) FROM discarded_texts") == 0)
    }

    @Test func `the ingestion of an asset that is gone is told to end`() async throws {
        let asset = try await store.make(credentials: [1])
        let run = try await store.start()
        let queued = try await store.add("a", to: run)
        _ = try await store.delete(asset.id, of: .acme)
        let id = run.operation.id
        #expect(try await store.add([SourceItem("b")], to: id, mostDocuments: 9, at: .at(3)).hasEnded)
        #expect(try await store.begin([queued[0].id], of: id, at: .at(3)) == .ended)
        #expect(try await store.stage(cut("x"), of: queued[0].id, of: id) == .ended)
        #expect(try await store.complete(queued[0], of: run).hasEnded)
        #expect(try await store.end(id, .cancelled, at: .at(3)) == nil)
        #expect(try await store.credentials(of: asset.id) == nil)
        #expect(try folder.number("SELECT count(*) FROM chunks") == 0)
    }
}
