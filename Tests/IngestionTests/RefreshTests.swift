import Assets
import Secrets
import Testing

/// A later reading of a source.
@Suite struct RefreshTests {
    @Test func `what has not changed is skipped and costs nothing`() async throws {
        let source = ScriptedSource(["a": "one", "b": "two"])
        let shop = try await Workshop(["Handbook": source])
        let (asset, _) = try await shop.ingest("Handbook")
        source.forgetReads()
        let ended = try await shop.ingestAgain(asset)
        #expect(ended.status == .completed)
        #expect(ended.counters.itemsTotal == 2)
        #expect(ended.counters.itemsProcessed == 2)
        #expect(ended.counters.itemsSkipped == 2)
        #expect(ended.counters.tokenCount == 0)
        #expect(ended.counters.chunkCount == 0)
        #expect(source.readKeys.isEmpty)
        await shop.close()
    }

    @Test func `what only reading tells to be the same is skipped`() async throws {
        let source = ScriptedSource(["a": "one"])
        source.change { $0["a"]?.isVersionListed = false }
        let shop = try await Workshop(["Handbook": source])
        let (asset, _) = try await shop.ingest("Handbook")
        let ended = try await shop.ingestAgain(asset)
        #expect(source.askedVersion("a") == .some("1"))
        #expect(ended.counters.itemsSkipped == 1)
        #expect(ended.counters.chunkCount == 0)
        source.change { $0["a"]?.outcome = .unchanged(ItemVersion("2")) }
        #expect(try await shop.ingestAgain(asset).counters.itemsSkipped == 1)
        _ = try await shop.ingestAgain(asset)
        #expect(source.askedVersion("a") == .some("2"))
        await shop.close()
    }

    @Test func `a document that changed keeps its id and has its new chunks`() async throws {
        let source = ScriptedSource(["a": "old\ntext", "b": "two"])
        let shop = try await Workshop(["Handbook": source])
        let (asset, _) = try await shop.ingest("Handbook")
        let before = try await shop.document("a", of: asset)
        source.change { $0["a"] = .init(text: "new", version: "2") }
        let ended = try await shop.ingestAgain(asset)
        #expect(ended.counters.itemsSkipped == 1)
        #expect(ended.counters.chunkCount == 1)
        let after = try await shop.document("a", of: asset)
        #expect(after.id == before.id)
        #expect(try await shop.texts("a", of: asset) == ["new"])
        await shop.close()
    }

    @Test func `what is new is added, and what has vanished is removed`() async throws {
        let source = ScriptedSource(["a": "one", "b": "two"])
        let shop = try await Workshop(["Handbook": source])
        let (asset, _) = try await shop.ingest("Handbook")
        source.change { script in
            script["a"] = nil
            script["c"] = .init(text: "three", version: "1")
        }
        let ended = try await shop.ingestAgain(asset)
        #expect(ended.counters.itemsRemoved == 1)
        #expect(try await shop.documents(of: asset).map(\.fileName) == ["b.txt", "c.txt"])
        await shop.close()
    }

    @Test func `an incomplete listing removes nothing`() async throws {
        let source = ScriptedSource(["a": "one", "b": "two"])
        let shop = try await Workshop(["Handbook": source])
        let (asset, _) = try await shop.ingest("Handbook")
        source.change { script in
            script["a"] = nil
            script.isIncomplete = true
        }
        let ended = try await shop.ingestAgain(asset)
        #expect(ended.status == .completed)
        #expect(ended.counters.itemsRemoved == 0)
        #expect(try await shop.documents(of: asset).count == 2)
        await shop.close()
    }

    @Test func `a listing that failed removes nothing`() async throws {
        let source = ScriptedSource(["a": "one", "b": "two", "c": "three"])
        let shop = try await Workshop(["Handbook": source])
        let (asset, _) = try await shop.ingest("Handbook")
        source.change { $0.listingFault = .unreachable("nothing listens") }
        #expect(try await shop.ingestAgain(asset).status == .failed)
        #expect(try await shop.documents(of: asset).count == 3)
        await shop.close()
    }

    @Test func `an entry that left a feed stays`() async throws {
        let source = ScriptedSource(["a": "one", "b": "two"])
        source.change { $0.keepsVanished = true }
        let shop = try await Workshop(["Feed": source])
        let (asset, _) = try await shop.ingest("Feed")
        source.change { $0["a"] = nil }
        #expect(try await shop.ingestAgain(asset).counters.itemsRemoved == 0)
        #expect(try await shop.documents(of: asset).count == 2)
        await shop.close()
    }

    @Test(arguments: [true, false])
    func `a page whose links are not all known has nothing removed`(_ isCut: Bool) async throws {
        let source = ScriptedSource()
        source.change { script in
            script["home"] = .init(text: "home", version: "1", isWholeSource: true, leadsTo: ["a"])
            script["a"] = .init(text: "a", version: "1", isListed: false, leadsTo: ["b"])
            script["b"] = .init(text: "b", version: "1", isListed: false)
            for key in ["home", "a", "b"] { script[key]?.isVersionListed = false }
        }
        let shop = try await Workshop(["Site": source])
        let (asset, _) = try await shop.ingest("Site")
        source.change { script in
            script["a"]?.leadsTo = []
            if isCut { script["a"]?.leavesOut = true } else { script["a"]?.fault = .unreachable("nothing listens") }
        }
        #expect(try await shop.ingestAgain(asset).counters.itemsRemoved == 0)
        #expect(try await shop.documents(of: asset).count == 3)
        source.change { script in
            script["a"]?.leavesOut = false
            script["a"]?.fault = nil
        }
        #expect(try await shop.ingestAgain(asset).counters.itemsRemoved == 1)
        await shop.close()
    }

    @Test func `force skips nothing`() async throws {
        let source = ScriptedSource(["a": "one", "b": "two"])
        source.change { $0["b"]?.isVersionListed = false }
        let shop = try await Workshop(["Handbook": source])
        let (asset, _) = try await shop.ingest("Handbook")
        source.forgetReads()
        let ended = try await shop.ingestAgain(asset, isForced: true)
        #expect(ended.counters.itemsSkipped == 0)
        #expect(ended.counters.chunkCount == 2)
        #expect(source.readKeys.sorted() == ["a", "b"])
        #expect(source.askedVersion("b") == .some(nil))
        await shop.close()
    }

    @Test func `a document that fails on a refresh keeps its chunks`() async throws {
        let source = ScriptedSource(["a": "one", "b": "two"])
        let shop = try await Workshop(["Handbook": source])
        let (asset, _) = try await shop.ingest("Handbook")
        source.change { $0["a"] = .init(text: "new", version: "2", fault: .rejected("answered 500")) }
        #expect(try await shop.ingestAgain(asset).counters.itemsFailed == 1)
        #expect(try await shop.document("a", of: asset).status == .failed)
        #expect(try await shop.texts("a", of: asset) == ["one"])
        // It is read again, since the version kept is that of its text.
        source.change { $0["a"]?.fault = nil }
        #expect(try await shop.ingestAgain(asset).counters.itemsSkipped == 1)
        #expect(try await shop.texts("a", of: asset) == ["new"])
        await shop.close()
    }
}

/// A refresh of documents that a caller chose.
@Suite struct ChosenDocumentTests {
    @Test(arguments: [true, false])
    func `only the chosen documents are looked at, and nothing is added or removed`(_ isListing: Bool) async throws {
        let source = ScriptedSource(["a": "one", "b": "two", "c": "three"])
        source.change { $0.listsChosenItems = isListing }
        let shop = try await Workshop(["Handbook": source])
        let (asset, _) = try await shop.ingest("Handbook")
        let chosen = try await shop.document("b", of: asset)
        source.forgetReads()
        source.change { script in
            script["a"] = nil
            script["b"] = .init(text: "new", version: "2", leadsTo: ["d"])
            script["c"] = .init(text: "new", version: "2")
            script["d"] = .init(text: "four", version: "1")
        }
        let ended = try await shop.ingestAgain(asset, documents: [chosen.id])
        #expect(ended.status == .completed)
        #expect(ended.counters.itemsTotal == 1)
        #expect(ended.counters.itemsProcessed == 1)
        #expect(ended.counters.itemsRemoved == 0)
        #expect(source.readKeys == ["b"])
        #expect(try await shop.documents(of: asset).map(\.fileName) == ["a.txt", "b.txt", "c.txt"])
        #expect(try await shop.texts("b", of: asset) == ["new"])
        #expect(try await shop.texts("c", of: asset) == ["three"])
        await shop.close()
    }

    @Test func `a chosen document that has not changed is skipped where the listing tells it`() async throws {
        let source = ScriptedSource(["a": "one", "b": "two"])
        let shop = try await Workshop(["Handbook": source])
        let (asset, _) = try await shop.ingest("Handbook")
        source.forgetReads()
        let chosen = try await shop.document("b", of: asset)
        let ended = try await shop.ingestAgain(asset, documents: [chosen.id])
        #expect(ended.counters.itemsSkipped == 1)
        #expect(source.readKeys.isEmpty)
        await shop.close()
    }

    @Test(arguments: [true, false])
    func `a chosen document that the source has no more stays`(_ isListing: Bool) async throws {
        let source = ScriptedSource(["a": "one", "b": "two"])
        source.change { $0.listsChosenItems = isListing }
        let shop = try await Workshop(["Handbook": source])
        let (asset, _) = try await shop.ingest("Handbook")
        let chosen = try await shop.document("b", of: asset)
        source.change { $0["b"] = nil }
        let ended = try await shop.ingestAgain(asset, documents: [chosen.id])
        #expect(ended.status == .completed)
        #expect(ended.counters.itemsTotal == 1)
        #expect(ended.counters.itemsProcessed == 1)
        #expect(ended.counters.itemsRemoved == 0)
        #expect(try await shop.texts("b", of: asset) == ["two"])
        await shop.close()
    }
}
