import AssetStore
import Assets
import Secrets
import TestSupport
import Testing

/// The next start after the process ended at any moment.
@Suite struct CrashTests {
    private static let texts: KeyValuePairs = ["a": "one\ntwo", "b": "three", "c": "four\nfive\nsix"]
    private static let chunks = ["a": ["one", "two"], "b": ["three"], "c": ["four", "five", "six"]]

    /// The files before and after each call of the store, while an operation runs from its beginning to its end.
    private func snapshots(documents: Int) async throws -> [TemporaryFolder] {
        let snapshots = Locked([TemporaryFolder]())
        let folder = try TemporaryFolder()
        let look: @Sendable (WatchedStore.Call) -> Void = { _ in
            if let copy = try? folder.copy() { snapshots.withLock { $0.append(copy) } }
        }
        let shop = try await Workshop(
            in: folder, ["Handbook": ScriptedSource(Self.texts)], embedder: ScriptedEmbedder(mostTexts: 2, tokens: 5),
            documents: documents
        ) { parts, store in
            parts.store = WatchedStore(
                store: store, before: { (call) throws(AssetStoreError) in look(call) },
                after: { (call) throws(AssetStoreError) in look(call) })
        }
        let (_, ended) = try await shop.ingest("Handbook", model: .small)
        #expect(ended.counters.tokenCount == 20)
        await shop.close()
        return snapshots.withLock { $0 }
    }

    /// What callers see in the files of a process that ended.
    private struct Seen {
        var asset: Asset
        var operation: AssetOperation
        /// The keys of documents that are done.
        var done: Set<String>

        /// `nil` before there was anything.
        static func look(into folder: TemporaryFolder) async throws -> Seen? {
            let store = try SQLiteAssetStore(path: folder.database)
            let assets = try await store.assets(of: .acme, matching: nil, PageRequest()).items
            var seen: Seen?
            if let asset = assets.first {
                let operations = try await store.operations(of: asset.id, .acme, PageRequest())
                let documents = try await store.documents(of: asset.id, .acme, matching: nil, PageRequest())
                let done = try #require(documents).items.filter { $0.status == .completed }
                seen = Seen(
                    asset: asset, operation: try #require(operations?.items.first),
                    done: Set(done.map { String($0.fileName.prefix(1)) }))
            }
            await store.close()
            return seen
        }
    }

    @Test(arguments: [1, 3])
    func `wherever the process ends, the operation goes on and counts each document once`(_ documents: Int) async throws
    {
        var resumed = 0
        for folder in try await snapshots(documents: documents) {
            guard let seen = try await Seen.look(into: folder), !seen.operation.status.isDone else { continue }
            resumed += 1
            let source = ScriptedSource(Self.texts)
            let shop = try await Workshop(
                in: folder, ["Handbook": source], embedder: ScriptedEmbedder(mostTexts: 2, tokens: 5),
                documents: documents)
            let ended = await shop.end(of: seen.operation.id)
            #expect(ended.status == .completed)
            #expect(ended.counters.itemsTotal == 3)
            #expect(ended.counters.itemsProcessed == 3)
            #expect(ended.counters.itemsFailed == 0)
            #expect(ended.counters.chunkCount == 6)
            #expect(ended.counters.tokenCount == 20)
            #expect(seen.done.isDisjoint(with: source.readKeys))
            #expect(source.readKeys.count == 3 - seen.operation.counters.itemsProcessed)
            for (key, chunks) in Self.chunks { #expect(try await shop.texts(key, of: seen.asset) == chunks) }
            await shop.close()
        }
        // Before and after: next, add, begin, stage and finish at least.
        #expect(resumed >= 10)
    }

    @Test func `a document that was in work at three ends of the process is FAILED, and the others are not`()
        async throws
    {
        var folder = try TemporaryFolder()
        var asset: Asset?
        for process in 1...3 {
            let arrivals = Gate()
            let source = ScriptedSource(
                Self.texts,
                beforeReading: { (key) throws(SourceFault) in
                    // All are in work at the first end, and one of them also at the others.
                    guard process == 1 || key == "b" else { return }
                    Task { await arrivals.pass() }
                    try await SourceFault.never()
                })
            let shop = try await Workshop(in: folder, ["Handbook": source])
            if process == 1 { asset = try await shop.create("Handbook").asset }
            await arrivals.arrival(of: process == 1 ? 3 : 1)
            let copy = try folder.copy()
            arrivals.open()
            await shop.close()
            folder = copy
        }
        let made = try #require(asset)
        let source = ScriptedSource(Self.texts)
        let shop = try await Workshop(in: folder, ["Handbook": source])
        let operation = try #require(try await shop.store.operations(of: made.id, .acme, PageRequest())?.items.first)
        let ended = await shop.end(of: operation.id)
        #expect(ended.status == .completed)
        #expect(ended.counters.itemsFailed == 1)
        #expect(ended.counters.itemsProcessed == 3)
        #expect(try await shop.document("b", of: made).failure?.code == .crashed)
        #expect(try await shop.document("a", of: made).status == .completed)
        #expect(try await shop.document("c", of: made).status == .completed)
        #expect(!source.readKeys.contains("b"))
        await shop.close()
    }

    @Test func `what pages had led to before the process ended is read after it`() async throws {
        let folder = try TemporaryFolder()
        let site = { (source: ScriptedSource) in
            source.change { script in
                script["home"] = .init(text: "home", version: "1", isWholeSource: true, leadsTo: ["a", "b"])
                script["a"] = .init(text: "a", version: "1", isListed: false)
                script["b"] = .init(text: "b", version: "1", isListed: false, leadsTo: ["c"])
                script["c"] = .init(text: "c", version: "1", isListed: false)
            }
        }
        let arrivals = Gate()
        let source = ScriptedSource(beforeReading: { (key) throws(SourceFault) in
            guard key == "b" else { return }
            Task { await arrivals.pass() }
            try await SourceFault.never()
        })
        site(source)
        let first = try await Workshop(in: folder, ["Site": source], documents: 1)
        let (asset, operation) = try await first.create("Site")
        await arrivals.arrival()
        let copy = try folder.copy()
        arrivals.open()
        await first.close()

        let again = ScriptedSource()
        site(again)
        let second = try await Workshop(in: copy, ["Site": again], documents: 1)
        let ended = await second.end(of: operation)
        #expect(ended.counters.itemsTotal == 4)
        #expect(ended.counters.itemsProcessed == 4)
        #expect(again.readKeys == ["b", "c"])
        #expect(try await second.documents(of: asset).count == 4)
        await second.close()
    }

    @Test func `an operation with a wish to end is not resumed`() async throws {
        let folder = try TemporaryFolder()
        let arrivals = Gate()
        let source = ScriptedSource(
            Self.texts,
            beforeReading: { (_) throws(SourceFault) in
                Task { await arrivals.pass() }
                try await SourceFault.never()
            })
        let first = try await Workshop(in: folder, ["Handbook": source])
        let (asset, operation) = try await first.create("Handbook")
        await arrivals.arrival(of: 3)
        // The wish is kept, and the process ends before anybody acts on it.
        _ = try await first.store.cancel(operation, of: asset.id, asset.tenant, at: .start)
        let copy = try folder.copy()
        arrivals.open()
        await first.close()

        let again = ScriptedSource(Self.texts)
        let second = try await Workshop(in: copy, ["Handbook": again])
        #expect(try await second.operation(operation, of: asset).status == .cancelled)
        await second.close()
        #expect(again.listedPages.isEmpty)
    }
}

/// The end of the service, and a store that fails.
@Suite struct StopTests {
    @Test func `what is in work is dropped, and nothing is marked done that is not`() async throws {
        let folder = try TemporaryFolder()
        let arrivals = Gate()
        let source = ScriptedSource(
            ["a": "one", "b": "two"],
            beforeReading: { (key) throws(SourceFault) in
                guard key == "b" else { return }
                Task { await arrivals.pass() }
                try await SourceFault.never()
            })
        let first = try await Workshop(in: folder, ["Handbook": source], documents: 1)
        let (asset, operation) = try await first.create("Handbook")
        await arrivals.arrival()
        await first.documentsDone(1)
        await first.ingestions.stop()
        await first.runEnds()
        let stopped = try await first.operation(operation, of: asset)
        #expect(stopped.status == .running)
        #expect(stopped.counters.itemsProcessed == 1)
        #expect(first.toldEvents.contains { if case .dropped(operation) = $0 { true } else { false } })
        arrivals.open()
        await first.close()

        let again = ScriptedSource(["a": "one", "b": "two"])
        let second = try await Workshop(in: folder, ["Handbook": again])
        let ended = await second.end(of: operation)
        #expect(ended.status == .completed)
        #expect(ended.startedAt == stopped.startedAt)
        #expect(again.readKeys == ["b"])
        await second.close()
    }

    @Test func `a document that waits for a place is dropped too`() async throws {
        let arrivals = Gate()
        let source = ScriptedSource(
            ["a": "one", "b": "two"],
            beforeReading: { (key) throws(SourceFault) in
                // The first one wants its place back, which the second one has.
                if key == "a" {
                    do {
                        try await WorkPermit.current?.yield { () throws(CancellationError) in await arrivals.arrival() }
                    } catch {
                        throw .cancelled
                    }
                } else {
                    Task { await arrivals.pass() }
                    try await SourceFault.never()
                }
            })
        let shop = try await Workshop(["Handbook": source], documents: 1)
        let (asset, operation) = try await shop.create("Handbook")
        await arrivals.arrival()
        await shop.ingestions.stop()
        #expect(try await shop.operation(operation, of: asset).counters.itemsProcessed == 0)
        arrivals.open()
        await shop.close()
    }

    @Test func `a part that does not end holds up the end of the service for a while only`() async throws {
        let gate = Gate()
        // Passing a gate heeds no cancellation.
        let source = ScriptedSource(["a": "one"], beforeReading: { _ in await gate.pass() })
        let waits = Locked([Duration]())
        let shop = try await Workshop(["Handbook": source]) { parts, _ in
            parts.sleep = { (duration) throws(CancellationError) in waits.withLock { $0.append(duration) } }
        }
        _ = try await shop.create("Handbook")
        await gate.arrival()
        await shop.ingestions.stop()
        #expect(waits.withLock { $0 } == [.seconds(9)])
        gate.open()
        await shop.close()
    }

    @Test func `an engine that was stopped before it ran runs nothing`() async throws {
        let shop = try await Workshop(["Handbook": ScriptedSource(["a": "one"])])
        await shop.ingestions.stop()
        let (asset, operation) = try await shop.create("Handbook")
        await shop.ingestions.run()
        #expect(try await shop.operation(operation, of: asset).status == .pending)
        await shop.close()
    }

    @Test(arguments: [WatchedStore.Call.next, .add, .begin, .stage, .finish, .end])
    func `a call of the store that fails is made again`(_ failing: WatchedStore.Call) async throws {
        let failures = Locked(3)
        let shop = try await Workshop(
            ["Handbook": ScriptedSource(["a": "1\n2\n3"])], embedder: ScriptedEmbedder(mostTexts: 1)
        ) { parts, store in
            parts.sleep = { (_) throws(CancellationError) in }
            parts.store = WatchedStore(
                store: store,
                before: { (call) throws(AssetStoreError) in
                    guard call == failing,
                        failures.withLock({
                            $0 -= 1; return $0 >= 0
                        })
                    else { return }
                    throw .unavailable("the disk is full")
                })
        }
        let (_, ended) = try await shop.ingest("Handbook", model: .small)
        #expect(ended.status == .completed)
        #expect(ended.counters.chunkCount == 3)
        let told = shop.toldEvents.filter { if case .storeFailed = $0 { true } else { false } }
        #expect(told.count == 3)
        await shop.close()
    }

    @Test func `where the store fails for long the operation is FAILED, and the log has its id`() async throws {
        let isBroken = Locked(true)
        let shop = try await Workshop(["Handbook": ScriptedSource(["a": "one"]), "Other": ScriptedSource(["b": "two"])])
        {
            parts, store in
            parts.sleep = { (_) throws(CancellationError) in }
            parts.store = WatchedStore(
                store: store,
                before: { (call) throws(AssetStoreError) in
                    if call == .finish, isBroken.withLock({ $0 }) { throw .unavailable("the disk is full") }
                })
        }
        let (_, operation) = try await shop.create("Handbook")
        let error = await shop.event { event -> IngestionEvent.InternalError? in
            if case .internalError(operation, let error) = event { error } else { nil }
        }
        #expect(error == .storeLost)
        let ended = await shop.end(of: operation)
        #expect((ended.status, ended.failure?.code) == (.failed, .internalError))
        // Its place is free.
        isBroken.withLock { $0 = false }
        #expect(try await shop.ingest("Other").ended.status == .completed)
        await shop.close()
    }

    /// Nobody else would end it, so it would be RUNNING until the next start, also for who cancels it.
    @Test func `the end of an operation is kept as soon as it can be, however long that takes`() async throws {
        let failures = Locked(200)
        let shop = try await Workshop(["Handbook": ScriptedSource(["a": "one"])]) { parts, store in
            parts.sleep = { (_) throws(CancellationError) in }
            parts.store = WatchedStore(
                store: store,
                before: { (call) throws(AssetStoreError) in
                    guard call == .end else { return }
                    let isBroken = failures.withLock { failures in
                        failures -= 1
                        return failures >= 0
                    }
                    if isBroken { throw .unavailable("the disk is full") }
                })
        }
        let (_, operation) = try await shop.create("Handbook")
        let status = await shop.event { event -> AssetOperation.Status? in
            switch event {
            case .ended(let ended) where ended.id == operation: ended.status
            case .internalError(operation, _): .running
            default: nil
            }
        }
        #expect(status == .completed)
        await shop.close()
    }
}
