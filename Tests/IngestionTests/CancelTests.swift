import AssetStore
import Assets
import Foundation
import Secrets
import TestSupport
import Testing

/// The end of an operation that somebody asked for.
@Suite struct CancelTests {
    @Test func `a PENDING operation is CANCELLED at once and nothing is read`() async throws {
        let gate = Gate()
        let first = ScriptedSource(["a": "one"], beforeReading: { _ in await gate.pass() })
        let second = ScriptedSource(["b": "two"])
        let shop = try await Workshop(["First": first, "Second": second], operations: 1)
        let running = try await shop.create("First")
        await gate.arrival()
        let (asset, operation) = try await shop.create("Second")
        let told = try await shop.cancel(operation, of: asset)
        #expect(told.status == .cancelled)
        gate.open()
        _ = await shop.end(of: running.operation)
        await shop.close()
        #expect(second.listedPages.isEmpty)
    }

    @Test func `a RUNNING operation ends although its source never answers`() async throws {
        let arrivals = Gate()
        let source = ScriptedSource(
            ["a": "one", "b": "two", "c": "three"],
            beforeReading: { (key) throws(SourceFault) in
                guard key != "a" else { return }
                Task { await arrivals.pass() }
                try await SourceFault.never()
            })
        let shop = try await Workshop(["Handbook": source], documents: 1)
        let (asset, operation) = try await shop.create("Handbook")
        await arrivals.arrival()
        _ = try await shop.cancel(operation, of: asset)
        let ended = await shop.end(of: operation)
        #expect(ended.status == .cancelled)
        #expect(ended.failure == nil)
        #expect(ended.counters.itemsProcessed == 1)
        #expect(ended.counters.tokenCount == 1)
        // What was found and not begun is gone, what was done stays.
        #expect(try await shop.documents(of: asset).map(\.fileName) == ["a.txt"])
        #expect(try await shop.texts("a", of: asset) == ["one"])
        #expect(source.readKeys == ["a", "b"])
        arrivals.open()
        await shop.close()
    }

    @Test func `an operation ends although its listing never answers`() async throws {
        let arrivals = Gate()
        let source = ScriptedSource(
            ["a": "one"],
            beforePage: { (_) throws(SourceFault) in
                Task { await arrivals.pass() }
                try await SourceFault.never()
            })
        let shop = try await Workshop(["Handbook": source])
        let (asset, operation) = try await shop.create("Handbook")
        await arrivals.arrival()
        _ = try await shop.cancel(operation, of: asset)
        #expect(await shop.end(of: operation).status == .cancelled)
        arrivals.open()
        await shop.close()
    }

    @Test func `a cancelled refresh leaves what it was to renew as it was`() async throws {
        let isHeld = Locked(false)
        let arrivals = Gate()
        let source = ScriptedSource(
            ["a": "old a", "b": "old b"],
            beforeReading: { (_) throws(SourceFault) in
                guard isHeld.withLock({ $0 }) else { return }
                Task { await arrivals.pass() }
                try await SourceFault.never()
            })
        let shop = try await Workshop(["Handbook": source], documents: 1)
        let (asset, _) = try await shop.ingest("Handbook")
        isHeld.withLock { $0 = true }
        source.change { script in
            for key in ["a", "b"] { script[key] = .init(text: "new", version: "2") }
        }
        let operation = try await shop.refresh(asset)
        await arrivals.arrival()
        _ = try await shop.cancel(operation, of: asset)
        #expect(await shop.end(of: operation).status == .cancelled)
        #expect(try await shop.texts("a", of: asset) == ["old a"])
        #expect(try await shop.document("b", of: asset).status == .completed)
        arrivals.open()
        await shop.close()
    }

    @Test func `a document that is being embedded is dropped, and costs nothing`() async throws {
        let arrivals = Gate()
        let embedder = ScriptedEmbedder(tokens: 7) { (_) throws(EmbedderFault) in
            Task { await arrivals.pass() }
            do { try await SourceFault.never() } catch { throw .cancelled }
        }
        let shop = try await Workshop(["Handbook": ScriptedSource(["a": "one"])], embedder: embedder)
        let (asset, operation) = try await shop.create("Handbook", model: .small)
        await arrivals.arrival()
        _ = try await shop.cancel(operation, of: asset)
        let ended = await shop.end(of: operation)
        #expect(ended.status == .cancelled)
        #expect(ended.counters.tokenCount == 0)
        arrivals.open()
        await shop.close()
    }

    @Test func `an operation whose asset is deleted stops`() async throws {
        let arrivals = Gate()
        let source = ScriptedSource(
            ["a": "one"],
            beforeReading: { (_) throws(SourceFault) in
                Task { await arrivals.pass() }
                try await SourceFault.never()
            })
        let other = ScriptedSource(["b": "two"])
        let shop = try await Workshop(["Handbook": source, "Other": other], operations: 1)
        let (asset, operation) = try await shop.create("Handbook")
        await arrivals.arrival()
        let deleted = try #require(try await shop.store.delete(asset.id, of: asset.tenant))
        #expect(deleted.operation == operation)
        await shop.ingestions.cancel(operation)
        await shop.event { if case .gone(operation) = $0 { true } else { nil } }
        // Its place is free.
        let (_, ended) = try await shop.ingest("Other")
        #expect(ended.status == .completed)
        arrivals.open()
        await shop.close()
    }

    @Test func `an operation whose wish to end came while it was given out ends`() async throws {
        let given = Gate()
        let source = ScriptedSource(
            ["a": "one"], beforePage: { (_) throws(SourceFault) in try await SourceFault.never() })
        let shop = try await Workshop(["Handbook": source]) { parts, store in
            // The operation is RUNNING in the store, and the engine does not know it yet.
            parts.store = WatchedStore(
                store: store,
                after: { (call) throws(AssetStoreError) in
                    guard call == .next else { return }
                    let assets = try await store.assets(of: .acme, matching: nil, PageRequest())
                    if assets.items.first?.status == .processing { await given.pass() }
                })
        }
        let (asset, operation) = try await shop.create("Handbook")
        await given.arrival()
        let told = try await shop.cancel(operation, of: asset)
        #expect(told.status == .running)
        given.open()
        #expect(await shop.end(of: operation).status == .cancelled)
        await shop.close()
    }
}
