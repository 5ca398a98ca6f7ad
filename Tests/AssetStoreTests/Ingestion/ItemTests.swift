import Assets
import Formats
import Foundation
import Testing

@testable import AssetStore

@Suite struct ItemTests {
    private let folder: TemporaryFolder
    private let store: SQLiteAssetStore

    init() throws {
        folder = try TemporaryFolder()
        store = try SQLiteAssetStore(path: folder.database)
    }

    // MARK: found

    @Test func `an item that is found is counted, and its document is PENDING`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        let item = SourceItem(
            key: "k", fileName: "a.md", contentType: "text/markdown", sourceURL: "https://example.com/a", size: 7,
            version: ItemVersion("v1"), content: SourceContent(bytes: [1], contentType: nil), note: "depth 2")
        let queued = try await store.add([item], to: run)
        #expect(queued.map(\.item) == [item])
        #expect(queued[0].keptVersion == nil && queued[0].crashes == 0)
        let document = try #require(try await store.documents(of: asset).first)
        #expect((document.status, document.fileName, document.fileSize) == (.pending, "a.md", 7))
        #expect((document.contentType, document.sourceURL) == ("text/markdown", "https://example.com/a"))
        #expect((document.createdAt, document.processedAt) == (.at(2), nil))
        #expect(try await store.operation(of: asset).counters.itemsTotal == 1)
        #expect(try await store.asset(asset).documentCount == 1)
    }

    @Test func `an item that is there already is passed over`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        #expect(try await store.add("a", "b", "a", to: run).map(\.item.key) == ["a", "b"])
        let queued = try await store.add("b", "c", to: run)
        #expect(queued.map(\.item.key) == ["c"])
        let led = try await store.complete(
            queued[0], of: run, found: [SourceItem("a"), SourceItem("d"), SourceItem("c")])
        #expect(led.queued?.map(\.item.key) == ["d"])
        #expect(try await store.operation(of: asset).counters.itemsTotal == 4)
        #expect(try await store.documents(of: asset).count == 4)
    }

    @Test func `keys are told apart byte for byte`() async throws {
        try await store.make()
        let run = try await store.start()
        let keys = ["é", "e\u{301}", "A", "a", "", "\u{0}", String(repeating: "x", count: 2048)]
        #expect(try await store.add(keys.map { SourceItem($0) }, to: run).count == keys.count)
    }

    @Test func `thousands of items are taken whole or not at all`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        let items = (0..<1500).map { SourceItem("\($0)") }
        try await store.writer.write { db in
            try db.run(
                """
                CREATE TRIGGER full BEFORE INSERT ON items WHEN new.key = '1200'
                BEGIN SELECT RAISE(ABORT, 'no room'); END
                """)
        }
        await #expect(throws: AssetStoreError.self) { try await store.add(items, to: run) }
        try await store.writer.write { try $0.run("DROP TRIGGER full") }
        let queued = try await store.add(items, to: run)
        #expect(queued.map(\.item.key) == items.map(\.key))
        #expect(try await store.operation(of: asset).counters.itemsTotal == 1500)
        #expect(try await store.add([], to: run).isEmpty)
    }

    @Test func `beyond the most documents nothing is added`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        let admission = try await store.add(
            ["a", "b", "c", "d"].map { SourceItem($0) }, to: run.operation.id, mostDocuments: 3, at: .at(2))
        #expect(admission.queued?.map(\.item.key) == ["a", "b", "c"])
        #expect(admission.isFull == true)
        #expect(try await store.operation(of: asset).counters.itemsTotal == 3)
        let led = try await store.finish(
            try #require(admission.queued?.first), of: run,
            ItemOutcome(.absent, found: [SourceItem("e"), SourceItem("f")]),
            most: 3)
        #expect(led.queued?.map(\.item.key) == ["e"])
        #expect(led.isFull == true)
        #expect(try await store.asset(asset).documentCount == 3)
    }

    @Test func `several items that end in one commit are counted one by one`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        let queued = try await store.add("a", "b", "c", "d", "e", to: run)
        try await store.finish(queued[4], of: run, ItemOutcome(.failed(.unreadable), tokensSpent: 1))
        let read = ItemOutcome(
            .completed(ReadDocument(queued[0].item, version: "1"), last: cut("text")),
            found: [SourceItem("f"), SourceItem("g")], tokensSpent: 4)
        let admission = try await store.finish(
            [
                FinishedItem(queued[2].id, ItemOutcome(.absent)),
                FinishedItem(queued[0].id, read),
                FinishedItem(queued[1].id, ItemOutcome(.failed(.unreachable), tokensSpent: 2)),
                FinishedItem(queued[3].id, ItemOutcome(.failed(.unreadable))),
                // It is over already.
                FinishedItem(queued[4].id, read),
            ], of: run.operation.id, mostDocuments: 5, at: .at(3))
        #expect(admission.queued?.map(\.item.key) == ["f"])
        #expect(admission.isFull == true)
        let counters = try await store.operation(of: asset).counters
        #expect(counters.itemsTotal == 6)
        #expect(counters.itemsProcessed == 5)
        #expect(counters.itemsFailed == 3)
        #expect(counters.chunkCount == 1)
        #expect(counters.tokenCount == 7)
        #expect(try await store.asset(asset).documentCount == 5)
    }

    @Test func `documents that are there are looked at again, however many may be`() async throws {
        let asset = try await store.makeRead("a", "b")
        let run = try await store.startRefresh(of: asset)
        #expect(try await store.add("a", "b", to: run, most: 1).count == 2)
    }

    @Test func `a document keeps its id and its version from one operation to the next`() async throws {
        let asset = try await store.makeRead("a")
        let before = try await store.document("a", of: asset)
        let run = try await store.startRefresh(of: asset)
        let queued = try await store.add("a", to: run)
        #expect(try await store.keptVersions(of: queued, run) == ["1"])
        try await store.complete(queued[0], of: run, version: "2")
        try await store.end(run)
        #expect(try await store.document("a", of: asset).id == before.id)
        let next = try await store.startRefresh(of: asset)
        #expect(try await store.keptVersions(of: try await store.add("a", to: next), next) == ["2"])
    }

    /// A page's version holds all its links, and ten thousand pages may wait.
    @Test func `what waits has its version with it only where there is another to compare`() async throws {
        let asset = try await store.makeRead("a", "b")
        let run = try await store.startRefresh(of: asset)
        let queued = try await store.add([SourceItem("a"), SourceItem("b", version: "2")], to: run)
        #expect(queued.map(\.keptVersion?.text) == [nil, "1"])
        try await store.recover(at: .at(150))
        let resumed = try await store.start()
        let again = try await store.add([SourceItem("a"), SourceItem("b", version: "2")], to: resumed)
        #expect(again.map(\.keptVersion?.text) == [nil, "1"])
        #expect(try await store.keptVersions(of: again, resumed) == ["1", "1"])
    }

    // MARK: in work

    @Test func `a document that is in work first is PROCESSING`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        let queued = try await store.add("a", "b", to: run)
        #expect(try await store.begin([queued[0].id], of: run.operation.id, at: .at(3)) == .begun([:]))
        #expect(try await store.documents(of: asset).map(\.status) == [.processing, .pending])
    }

    @Test func `a document that is renewed keeps its status until then`() async throws {
        let asset = try await store.makeRead("a")
        let run = try await store.startRefresh(of: asset)
        let queued = try await store.add("a", to: run)
        _ = try await store.begin([queued[0].id], of: run.operation.id, at: .at(3))
        #expect(try await store.document("a", of: asset).status == .completed)
    }

    @Test func `nobody sees what is staged before it is finished`() async throws {
        let asset = try await store.makeRead("a")
        let run = try await store.startRefresh(of: asset)
        let queued = try await store.add("a", to: run)
        #expect(try await store.stage(cut("one", "two"), of: queued[0].id, of: run.operation.id) == .goesOn)
        #expect(try await store.stage(cut("three", from: 2), of: queued[0].id, of: run.operation.id) == .goesOn)
        let document = try await store.document("a", of: asset)
        #expect(try await store.texts(of: document, asset) == ["text"])
        #expect(document.chunkCount == 1)
        #expect(try await store.operation(of: asset).counters.chunkCount == 0)
        try await store.complete(queued[0], of: run, cut("four", from: 3))
        #expect(try await store.texts(of: document, asset) == ["one", "two", "three", "four"])
        #expect(try await store.document("a", of: asset).chunkCount == 4)
        #expect(try await store.document("a", of: asset).tokenCount == 15)
        #expect(try await store.operation(of: asset).counters.chunkCount == 4)
        #expect(try await store.asset(asset).chunkCount == 4)
        #expect(try folder.number("SELECT count(*) FROM chunks") == 4)
    }

    // MARK: finished

    @Test func `a document that is read has its text, and the counters have it too`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        let queued = try await store.add("a", "b", to: run)
        try await store.complete(queued[0], of: run, version: "v", cut("one", "two"), tokens: 99, at: 7)
        let document = try await store.document("a", of: asset)
        #expect((document.status, document.chunkCount, document.tokenCount) == (.completed, 2, 6))
        #expect((document.contentType, document.fileSize) == ("text/markdown", 12))
        #expect(document.sourceURL == "https://example.com/a")
        #expect((document.processedAt, document.modifiedAt, document.createdAt) == (.at(7), .at(7), .at(2)))
        let counters = try await store.operation(of: asset).counters
        #expect((counters.itemsTotal, counters.itemsProcessed, counters.itemsFailed) == (2, 1, 0))
        #expect((counters.chunkCount, counters.tokenCount) == (2, 99))
        let kept = try await store.asset(asset)
        #expect((kept.documentCount, kept.chunkCount, kept.tokenCount) == (2, 2, 99))
    }

    @Test func `a chunk comes back as it was kept`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        let queued = try await store.add("a", to: run)
        let chunks = [
            Chunk(
                index: 0, content: "Grüße \u{1F468}\u{200D}\u{1F469}", headingPath: nil, page: nil, scalars: 0..<9,
                lines: 1...1,
                tokenCount: 5),
            Chunk(
                index: 1, content: "x", headingPath: "A > B", page: 3, scalars: 100_000..<100_001, lines: 5...70_000,
                tokenCount: 1),
        ]
        try await store.complete(queued[0], of: run, chunks.map { StagedChunk($0) })
        let document = try await store.document("a", of: asset)
        #expect(try await store.chunks(of: document.id, asset.id, .acme, PageRequest())?.items == chunks)
    }

    @Test func `vectors are kept as numbers of four bytes, the lowest first`() async throws {
        try await store.make(model: .small)
        let run = try await store.start()
        let queued = try await store.add("a", to: run)
        try await store.complete(queued[0], of: run, [StagedChunk(cut("x")[0].chunk, vector: [1, -2.5, 0])])
        let bytes = try #require(try folder.query("SELECT vector FROM vectors", as: Data.self).first)
        #expect(Array(bytes) == [0, 0, 0x80, 0x3F, 0, 0, 0x20, 0xC0, 0, 0, 0, 0])
    }

    @Test func `an item is finished once`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        let queued = try await store.add("a", to: run)
        try await store.complete(queued[0], of: run)
        let done = try await store.operation(of: asset).counters
        #expect(
            try await store.complete(queued[0], of: run, cut("other"), found: [SourceItem("b")]).queued?.isEmpty == true
        )
        #expect(try await store.finish(queued[0], of: run, ItemOutcome(.failed(.unreadable))).queued?.isEmpty == true)
        #expect(try await store.stage(cut("x", from: 5), of: queued[0].id, of: run.operation.id) == .goesOn)
        #expect(try await store.operation(of: asset).counters == done)
        #expect(try folder.query("SELECT content FROM chunks", as: String.self) == ["text"])
    }

    @Test func `an item of another operation is not touched`() async throws {
        let (first, second) = (try await store.make("1"), try await store.make("2"))
        let (run, other) = (try await store.start(), try await store.start())
        let queued = try await store.add("a", to: run)
        try await store.complete(queued[0], of: other)
        #expect(try await store.operation(of: first).counters.itemsProcessed == 0)
        #expect(try await store.operation(of: second).counters.itemsProcessed == 0)
    }

    @Test func `a document whose reading failed tells why`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        let queued = try await store.add("a", to: run)
        try await store.finish(queued[0], of: run, ItemOutcome(.failed(.unreadable), tokensSpent: 5))
        let document = try await store.document("a", of: asset)
        #expect((document.status, document.failure, document.processedAt) == (.failed, .unreadable, nil))
        let counters = try await store.operation(of: asset).counters
        #expect((counters.itemsProcessed, counters.itemsFailed, counters.tokenCount) == (1, 1, 5))
    }

    @Test func `a document whose renewal failed keeps the text of before`() async throws {
        let asset = try await store.makeRead("a")
        let run = try await store.startRefresh(of: asset)
        let queued = try await store.add("a", to: run)
        _ = try await store.stage(cut("half"), of: queued[0].id, of: run.operation.id)
        try await store.finish(queued[0], of: run, ItemOutcome(.failed(.unreadable)))
        let document = try await store.document("a", of: asset)
        #expect((document.status, document.failure, document.chunkCount) == (.failed, .unreadable, 1))
        #expect(document.processedAt == .at(3))
        #expect(try await store.texts(of: document, asset) == ["text"])
        #expect(try folder.number("SELECT count(*) FROM chunks") == 1)
        #expect(try await store.asset(asset).chunkCount == 1)
    }

    @Test func `a document that did not change is skipped, and its version may be told anew`() async throws {
        let asset = try await store.makeRead("a", "b")
        let before = try await store.document("a", of: asset)
        let run = try await store.startRefresh(of: asset)
        let queued = try await store.add("a", "b", to: run)
        try await store.finish(queued[0], of: run, ItemOutcome(.unchanged(ItemVersion("2"))), at: 200)
        try await store.finish(queued[1], of: run, ItemOutcome(.unchanged(nil)))
        let counters = try await store.end(run).counters
        #expect(
            (counters.itemsProcessed, counters.itemsSkipped, counters.tokenCount, counters.chunkCount) == (2, 2, 0, 0))
        #expect(String(reflecting: try await store.document("a", of: asset)) == String(reflecting: before))
        let next = try await store.startRefresh(of: asset)
        #expect(try await store.keptVersions(of: try await store.add("a", "b", to: next), next) == ["2", "1"])
    }

    /// Its text is that of the source.
    @Test func `a failed document that turns out unchanged is COMPLETED again`() async throws {
        let asset = try await store.makeRead("a")
        let failed = try await store.startRefresh(of: asset)
        try await store.finish(
            try await store.add("a", to: failed)[0], of: failed, ItemOutcome(.failed(.unreachable)))
        try await store.end(failed)
        let run = try await store.startRefresh(of: asset)
        try await store.finish(try await store.add("a", to: run)[0], of: run, ItemOutcome(.unchanged(nil)), at: 300)
        let document = try await store.document("a", of: asset)
        #expect((document.status, document.failure, document.processedAt) == (.completed, nil, .at(300)))
    }

    @Test func `a document without text is COMPLETED as well`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        try await store.complete(try await store.add("a", to: run)[0], of: run, [])
        let document = try await store.document("a", of: asset)
        #expect((document.status, document.chunkCount) == (.completed, 0))
        #expect(try await store.chunks(of: document.id, asset.id, .acme, PageRequest())?.totalCount == 0)
        #expect(try await store.end(run).status == .completed)
    }

    @Test func `an address that is no document leaves none`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        let queued = try await store.add("a", "b", to: run)
        _ = try await store.begin(queued.map(\.id), of: run.operation.id, at: .at(3))
        _ = try await store.stage(cut("half"), of: queued[0].id, of: run.operation.id)
        try await store.finish(queued[0], of: run, ItemOutcome(.absent))
        // A reader that takes a new document for unchanged has nothing to show for it.
        try await store.finish(queued[1], of: run, ItemOutcome(.unchanged(nil)))
        #expect(try await store.documents(of: asset).isEmpty)
        let ended = try await store.end(run)
        #expect((ended.counters.itemsTotal, ended.counters.itemsProcessed, ended.counters.itemsRemoved) == (2, 2, 0))
        #expect(ended.status == .completed)
        #expect(try await store.asset(asset).documentCount == 0)
        #expect(try folder.number("SELECT count(*) FROM chunks") == 0)
    }

    // MARK: deleted meanwhile

    @Test func `a document that is deleted in work does not come back, and is counted`() async throws {
        let asset = try await store.makeRead("a", "b")
        let run = try await store.startRefresh(of: asset)
        let queued = try await store.add("a", "b", to: run)
        _ = try await store.begin(queued.map(\.id), of: run.operation.id, at: .at(3))
        _ = try await store.stage(cut("half"), of: queued[0].id, of: run.operation.id)
        let document = try await store.document("a", of: asset)
        #expect(try await store.deleteDocument(document.id, of: asset.id, .acme))
        #expect(try await !store.deleteDocument(document.id, of: asset.id, .acme))
        #expect(try await store.document(document.id, of: asset.id, .acme) == nil)
        try await store.complete(queued[0], of: run, cut("rest", from: 1), tokens: 50)
        try await store.complete(queued[1], of: run)
        let ended = try await store.end(run)
        #expect((ended.counters.itemsProcessed, ended.counters.itemsRemoved, ended.counters.tokenCount) == (2, 0, 4))
        #expect(ended.status == .completed)
        let kept = try await store.asset(asset)
        #expect((kept.documentCount, kept.chunkCount) == (1, 1))
        #expect(try folder.number("SELECT count(*) FROM chunks") == 1)
    }

    @Test func `a deleted document comes back with the next full refresh, under another id`() async throws {
        let asset = try await store.makeRead("a", "b")
        let document = try await store.document("a", of: asset)
        #expect(try await store.deleteDocument(document.id, of: asset.id, .acme))
        #expect(try await store.asset(asset).chunkCount == 1)
        let run = try await store.startRefresh(of: asset)
        let queued = try await store.add("a", "b", to: run)
        #expect(try await store.keptVersions(of: queued, run) == [nil, "1"])
        for item in queued { try await store.complete(item, of: run) }
        let ended = try await store.end(run)
        #expect(ended.counters.itemsRemoved == 0)
        #expect(try await store.document("a", of: asset).id != document.id)
        #expect(try await store.document(document.id, of: asset.id, .acme) == nil)
    }

    // MARK: lists

    @Test func `documents are listed from the oldest on, and searched by name`() async throws {
        let asset = try await store.makeRead("Über uns", "über alles", "Impressum")
        let all = try #require(try await store.documents(of: asset.id, .acme, matching: nil, PageRequest(size: 2)))
        #expect(all.items.map(\.fileName) == ["Über uns.md", "über alles.md"])
        #expect(all.totalCount == 3)
        let rest = try await store.documents(of: asset.id, .acme, matching: nil, PageRequest(size: 2, after: all.next))
        #expect(rest?.items.map(\.fileName) == ["Impressum.md"])
        #expect(rest?.next == nil)
        let found = try await store.documents(of: asset.id, .acme, matching: "ÜBER", PageRequest(size: 1, skip: 1))
        #expect(found?.items.map(\.fileName) == ["über alles.md"])
        #expect(found?.totalCount == 2)
        #expect(try await store.documents(of: AssetID(UUID()), .acme, matching: nil, PageRequest()) == nil)
    }

    @Test func `an asset that was never read has an empty list`() async throws {
        let page = try await store.documents(of: try await store.make().id, .acme, matching: nil, PageRequest())
        #expect(page?.items.isEmpty == true)
        #expect(page?.totalCount == 0)
    }

    @Test func `chunks are paged in order, and no position leads into another document`() async throws {
        let asset = try await store.make()
        let run = try await store.start()
        for queued in try await store.add("a", "b", "c", to: run) {
            try await store.complete(queued, of: run, (0..<5).map { cut("\(queued.item.key)\($0)", from: $0)[0] })
        }
        let document = try await store.document("b", of: asset)
        var (told, position): ([String], PagePosition?) = ([], nil)
        repeat {
            let page = try #require(
                try await store.chunks(of: document.id, asset.id, .acme, PageRequest(size: 2, after: position)))
            #expect(page.totalCount == 5)
            told += page.items.map(\.content)
            position = page.next
        } while position != nil
        #expect(told == ["b0", "b1", "b2", "b3", "b4"])
        for (number, count) in [(Int64.min, 5), (-2, 5), (-1, 5), (0, 4), (4, 0), (1 << 24, 0), (.max, 0)] {
            let request = PageRequest(after: PagePosition(number))
            let page = try await store.chunks(of: document.id, asset.id, .acme, request)
            #expect(page?.items.count == count, "\(number)")
        }
    }
}
