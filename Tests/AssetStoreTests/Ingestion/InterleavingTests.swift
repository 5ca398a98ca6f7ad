import Assets
import Foundation
import TestSupport
import Testing

@testable import AssetStore

/// Any calls in any order, and ends of the process in between: the counters are those of what was answered.
@Suite struct InterleavingTests {
    @Test(arguments: 0..<16)
    func `no counter goes back or astray`(_ seed: Int) async throws {
        let world = try World(seed: UInt64(seed))
        for step in 0..<150 {
            try await world.step()
            try await world.check("seed \(seed), step \(step)")
        }
    }
}

/// A store, beside it what it should hold, and dice.
private final class World {
    private struct Item {
        var queued: QueuedItem
        /// It may be finished: the store gave it out since the last start.
        var isGiven = true
        var isInWork = false
        var isDone = false
        var crashes = 0
        var staged = 0
    }

    private struct Running {
        var asset: Asset
        var ingestion: Ingestion
        var isCancelled = false
        /// Has its turn to come again.
        var isWaiting = false
        var counters = AssetOperation.Counters()
        var items: [ItemID: Item] = [:]
    }

    private var folder: TemporaryFolder
    private var store: SQLiteAssetStore
    private var dice: Generator
    private var clock: Int64 = 1000
    private var assets: [Asset] = []
    private var running: [OperationID: Running] = [:]
    private var last: [OperationID: AssetOperation] = [:]

    init(seed: UInt64) throws {
        folder = try TemporaryFolder()
        store = try SQLiteAssetStore(path: folder.database)
        dice = Generator(seed: seed)
    }

    private func roll(_ count: Int) -> Int { Int.random(in: 0..<count, using: &dice) }

    private func keys() -> [SourceItem] { (0...roll(4)).map { _ in SourceItem("\(roll(10))") } }

    func step() async throws {
        // It may stand still, and be set back.
        clock += Int64(roll(5)) - 1
        switch roll(40) {
        case 0..<2: if assets.count < 4 { assets.append(try await store.make("\(assets.count)", at: clock)) }
        case 2..<5: try await refresh()
        case 5..<9: try await next()
        case 9..<15: try await add()
        case 15..<19: try await begin()
        case 19..<21: try await stage()
        case 21..<32: try await finish()
        case 32..<34: try await end()
        case 34: try await cancel()
        case 35: try await deleteDocument()
        case 36: if roll(5) == 0 { try await deleteAsset() }
        default: try await crash()
        }
    }

    // MARK: calls

    private func refresh() async throws {
        guard let asset = assets.randomElement(using: &dice) else { return }
        let documents = try await store.documents(of: asset).map(\.id).filter { _ in roll(2) == 0 }
        _ = try await store.refresh(
            NewRefresh(
                operation: OperationID(UUID()), asset: asset.id, tenant: .acme,
                documents: roll(3) == 0 ? documents : nil, isForced: false, createdBy: nil, now: .at(clock)),
            idempotency: nil)
    }

    private func next() async throws {
        guard let ingestion = try await store.next(excluding: [], at: .at(clock)) else { return }
        let id = ingestion.operation.id
        if var run = running[id] {
            #expect(run.isWaiting)
            run.isWaiting = false
            running[id] = run
        } else {
            running[id] = Running(asset: ingestion.asset, ingestion: ingestion)
        }
    }

    /// One that somebody works on.
    private func anyRun() -> OperationID? {
        running.filter { !$0.value.isWaiting }.keys.sorted { $0.description < $1.description }.randomElement(
            using: &dice)
    }

    private func anyItem(where condition: (Item) -> Bool) -> (OperationID, Item)? {
        guard let id = anyRun(), let run = running[id] else { return nil }
        let items = run.items.values.filter { $0.isGiven && !$0.isDone && condition($0) }
        return items.sorted { $0.queued.id.number < $1.queued.id.number }.randomElement(using: &dice).map { (id, $0) }
    }

    private func admit(_ admission: ItemAdmission, to id: OperationID) {
        guard var run = running[id] else { return }
        guard case .added(let queued, _) = admission else { return #expect(run.isCancelled) }
        #expect(!run.isCancelled)
        for item in queued {
            if let known = run.items[item.id] {
                #expect(!known.isGiven && !known.isDone && known.crashes == item.crashes)
            } else {
                run.counters.itemsTotal += 1
            }
            run.items[item.id, default: Item(queued: item)].isGiven = true
        }
        running[id] = run
    }

    private func add() async throws {
        guard let id = anyRun() else { return }
        admit(try await store.add(keys(), to: id, mostDocuments: 8, at: .at(clock)), to: id)
    }

    private func begin() async throws {
        guard let (id, item) = anyItem(where: { _ in true }) else { return }
        let beginning = try await store.begin([item.queued.id], of: id, at: .at(clock))
        #expect((beginning == .ended) == running[id]?.isCancelled)
        if beginning != .ended { running[id]?.items[item.queued.id]?.isInWork = true }
    }

    private func stage() async throws {
        guard let (id, item) = anyItem(where: \.isInWork) else { return }
        let progress = try await store.stage(cut("s", from: item.staged), of: item.queued.id, of: id)
        if progress == .goesOn { running[id]?.items[item.queued.id]?.staged += 1 }
    }

    private func finish() async throws {
        guard let (id, item) = anyItem(where: { _ in true }), let run = running[id] else { return }
        let kept = try await store.documents(of: run.asset).first { $0.fileName == item.queued.item.fileName }
        let (outcome, change) = outcome(item, of: kept)
        let admission = try await store.finish(
            [FinishedItem(item.queued.id, outcome)], of: id, mostDocuments: 8, at: .at(clock))
        if case .added = admission {
            running[id]?.counters.add(change)
            running[id]?.items[item.queued.id]?.isDone = true
        }
        admit(admission, to: id)
    }

    private func outcome(_ item: Item, of kept: Document?) -> (ItemOutcome, AssetOperation.Counters) {
        var change = AssetOperation.Counters()
        change.itemsProcessed = 1
        let found = roll(3) == 0 ? keys() : []
        let tokens = roll(50)
        if kept != nil { change.tokenCount = tokens }
        let result: ItemOutcome.Result
        switch roll(5) {
        case 0..<2:
            let last = (0..<roll(3)).map { cut("l", from: item.staged + $0)[0] }
            if kept != nil { change.chunkCount = item.staged + last.count }
            result = .completed(ReadDocument(item.queued.item, version: "\(roll(3))"), last: last)
        case 2:
            if kept?.processedAt != nil { change.itemsSkipped = 1 }
            result = .unchanged(nil)
        case 3:
            if kept != nil { change.itemsFailed = 1 }
            result = .failed(roll(2) == 0 ? .unreadable : .unreachable)
        default: result = .absent
        }
        return (ItemOutcome(result, found: found, tokensSpent: tokens, isIncomplete: roll(4) == 0), change)
    }

    private func end() async throws {
        guard let id = anyRun(), var run = running[id] else { return }
        let isAllDone = run.items.values.allSatisfy(\.isDone)
        let end: IngestionEnd
        switch roll(3) {
        case 0 where !isAllDone: end = .failed(AssetOperation.Failure(.sourceTimeout, "slow"))
        case 1 where !isAllDone: end = .cancelled
        default:
            end = .listed(isComplete: roll(2) == 0, keepsVanished: roll(4) == 0, isFull: false)
            if !run.isCancelled { run.counters.itemsProcessed = run.counters.itemsTotal }
        }
        let ended = try #require(try await store.end(id, end, at: .at(clock)))
        #expect(ended.status.isDone)
        #expect(!run.isCancelled || ended.status == .cancelled)
        run.counters.itemsRemoved = ended.counters.itemsRemoved
        #expect(ended.counters == run.counters)
        running[id] = nil
    }

    private func cancel() async throws {
        guard let id = running.keys.sorted(by: { $0.description < $1.description }).randomElement(using: &dice),
            let run = running[id]
        else { return }
        let told = try #require(try await store.cancel(id, of: run.asset.id, .acme, at: .at(clock)))
        #expect(told.status == (run.isWaiting ? .cancelled : .running))
        running[id]?.isCancelled = true
        if run.isWaiting { running[id] = nil }
    }

    private func deleteDocument() async throws {
        guard let asset = assets.randomElement(using: &dice),
            let document = try await store.documents(of: asset).randomElement(using: &dice)
        else { return }
        #expect(try await store.deleteDocument(document.id, of: asset.id, .acme))
    }

    private func deleteAsset() async throws {
        guard let index = assets.indices.randomElement(using: &dice) else { return }
        let asset = assets.remove(at: index)
        let deleted = try #require(try await store.delete(asset.id, of: .acme))
        if let id = deleted.operation {
            #expect(try await store.end(id, .cancelled, at: .at(clock)) == nil)
            running[id] = nil
        }
        last = last.filter { $0.value.asset != asset.id }
    }

    /// The process ends without a word, or after it closed the store.
    private func crash() async throws {
        if roll(2) == 0 {
            let copy = try folder.copy()
            await store.close()
            folder = copy
        } else {
            await store.close()
        }
        store = try SQLiteAssetStore(path: folder.database)
        try await store.recover(at: .at(clock))
        for (id, var run) in running {
            if run.isCancelled {
                running[id] = nil
                continue
            }
            run.isWaiting = true
            for (number, var item) in run.items where !item.isDone {
                if item.isInWork { item.crashes += 1 }
                (item.isGiven, item.isInWork, item.staged) = (false, false, 0)
                if item.crashes == 3 { try await giveUp(&item, &run) }
                run.items[number] = item
            }
            running[id] = run
        }
    }

    private func giveUp(_ item: inout Item, _ run: inout Running) async throws {
        item.isDone = true
        run.counters.itemsProcessed += 1
        // Unless it was deleted meanwhile.
        let documents = try await store.documents(of: run.asset)
        let document = documents.first { $0.fileName == item.queued.item.fileName }
        if document?.failure?.code == .crashed { run.counters.itemsFailed += 1 }
    }

    // MARK: what must hold

    func check(_ place: Comment) async throws {
        for asset in assets { try await check(asset, place) }
        #expect(
            try folder.number("SELECT count(*) FROM chunks")
                == folder.number(
                    """
                    SELECT (SELECT coalesce(sum(chunk_count), 0) FROM documents)
                        + (SELECT coalesce(sum(staged_chunks), 0) FROM items)
                    """), place)
        #expect(try folder.number("SELECT count(*) FROM discarded_texts") == 0, place)
    }

    private func check(_ asset: Asset, _ place: Comment) async throws {
        let (kept, documents) = (try await store.asset(asset), try await store.documents(of: asset))
        #expect(kept.documentCount == documents.count, place)
        #expect(kept.chunkCount == documents.reduce(0) { $0 + $1.chunkCount }, place)
        for document in documents {
            #expect(try await store.texts(of: document, asset).count == document.chunkCount, place)
            #expect((document.failure != nil) == (document.status == .failed), place)
        }
        let operations = try #require(try await store.operations(of: asset.id, .acme, PageRequest(size: 1000))).items
        #expect(kept.tokenCount == operations.reduce(0) { $0 + $1.counters.tokenCount }, place)
        for (newer, older) in zip(operations, operations.dropFirst()) {
            #expect(newer.updatedAt > older.updatedAt && older.status.isDone, place)
        }
        for operation in operations { check(operation, place) }
        if operations.allSatisfy(\.status.isDone) {
            #expect(documents.allSatisfy { $0.status == .completed || $0.status == .failed }, place)
        }
    }

    private func check(_ operation: AssetOperation, _ place: Comment) {
        let counters = operation.counters
        if let run = running[operation.id] { #expect(counters == run.counters, place) }
        #expect(counters.itemsProcessed <= counters.itemsTotal, place)
        #expect(counters.itemsFailed + counters.itemsSkipped <= counters.itemsProcessed, place)
        if operation.status == .completed { #expect(counters.itemsProcessed == counters.itemsTotal, place) }
        #expect(operation.status.isDone == (operation.completedAt != nil), place)
        if let before = last[operation.id] {
            #expect(counters.isNowhereBelow(before.counters), place)
            #expect(operation.updatedAt >= before.updatedAt, place)
            #expect(before.startedAt == nil || before.startedAt == operation.startedAt, place)
            if before.status.isDone { #expect(String(reflecting: before) == String(reflecting: operation), place) }
        }
        last[operation.id] = operation
    }
}

extension AssetOperation.Counters {
    private var all: [Int] {
        [itemsTotal, itemsProcessed, itemsFailed, itemsSkipped, itemsRemoved, chunkCount, tokenCount]
    }

    fileprivate func isNowhereBelow(_ other: Self) -> Bool { zip(all, other.all).allSatisfy { $0 >= $1 } }

    fileprivate mutating func add(_ other: Self) {
        itemsProcessed += other.itemsProcessed
        itemsFailed += other.itemsFailed
        itemsSkipped += other.itemsSkipped
        chunkCount += other.chunkCount
        tokenCount += other.tokenCount
    }
}
