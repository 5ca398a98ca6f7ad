import Assets
import Secrets
import TestSupport
import Testing

/// The course of an operation, and what it leaves.
@Suite struct ProgressTests {
    @Test func `a source is read, cut and counted`() async throws {
        let shop = try await Workshop(["Handbook": ScriptedSource(["a": "one\ntwo", "b": "three"])])
        let (asset, ended) = try await shop.ingest("Handbook")
        #expect(ended.status == .completed)
        #expect(ended.failure == nil)
        #expect(ended.counters.itemsTotal == 2)
        #expect(ended.counters.itemsProcessed == 2)
        #expect(ended.counters.chunkCount == 3)
        // Bytes ÷ 4, rounded up, of each chunk.
        #expect(ended.counters.tokenCount == 1 + 1 + 2)
        #expect(try await shop.texts("a", of: asset) == ["one", "two"])
        let document = try await shop.document("b", of: asset)
        #expect(document.status == .completed)
        #expect(document.chunkCount == 1)
        #expect(document.tokenCount == 2)
        #expect(document.fileSize == 5)
        await shop.close()
    }

    @Test func `a source without documents is COMPLETED`() async throws {
        let shop = try await Workshop(["Empty": ScriptedSource()])
        let (_, ended) = try await shop.ingest("Empty")
        #expect(ended.status == .completed)
        #expect(ended.counters.itemsTotal == 0)
        await shop.close()
    }

    @Test func `a document without text is COMPLETED without chunks`() async throws {
        let shop = try await Workshop(["Handbook": ScriptedSource(["a": " \n "])])
        let (asset, ended) = try await shop.ingest("Handbook")
        #expect(ended.status == .completed)
        let document = try await shop.document("a", of: asset)
        #expect(document.status == .completed)
        #expect(document.chunkCount == 0)
        await shop.close()
    }

    @Test func `the total grows while the source is listed, and documents are done meanwhile`() async throws {
        let gate = Gate()
        let source = ScriptedSource(
            ["a": "one", "b": "two", "c": "three"], beforePage: { page in if page == 1 { await gate.pass() } })
        source.change { $0.pageSize = 2 }
        let shop = try await Workshop(["Handbook": source])
        let (asset, operation) = try await shop.create("Handbook")
        await gate.arrival()
        await shop.documentsDone(2)
        let meanwhile = try await shop.operation(operation, of: asset)
        #expect(meanwhile.status == .running)
        #expect(meanwhile.counters.itemsTotal == 2)
        #expect(meanwhile.counters.itemsProcessed == 2)
        gate.open()
        let ended = await shop.end(of: operation)
        #expect(ended.counters.itemsTotal == 3)
        await shop.close()
    }

    @Test func `as many documents are read at once as there are workers`() async throws {
        let gate = Gate()
        let source = ScriptedSource(
            ["a": "1", "b": "2", "c": "3", "d": "4", "e": "5"], beforeReading: { _ in await gate.pass() })
        let shop = try await Workshop(["Handbook": source], documents: 3)
        let (asset, operation) = try await shop.create("Handbook")
        await gate.arrival(of: 3)
        #expect(source.readKeys.sorted() == ["a", "b", "c"])
        let statuses = try await shop.documents(of: asset).map(\.status)
        #expect(statuses == [.processing, .processing, .processing, .pending, .pending])
        gate.open()
        #expect(await shop.end(of: operation).counters.itemsProcessed == 5)
        await shop.close()
    }

    @Test func `what pages lead to is read once, however many lead to it`() async throws {
        let source = ScriptedSource()
        source.change { script in
            script["home"] = .init(text: "home", version: "1", isWholeSource: true, leadsTo: ["a", "b"])
            script["a"] = .init(text: "a", version: "1", isListed: false, leadsTo: ["home", "b"])
            script["b"] = .init(text: "b", version: "1", isListed: false, leadsTo: ["a"])
        }
        let shop = try await Workshop(["Site": source])
        let (asset, ended) = try await shop.ingest("Site")
        #expect(ended.counters.itemsTotal == 3)
        #expect(ended.counters.itemsProcessed == 3)
        #expect(source.readKeys.sorted() == ["a", "b", "home"])
        #expect(try await shop.documents(of: asset).count == 3)
        await shop.close()
    }

    @Test func `an address that is no document is processed and leaves none`() async throws {
        let source = ScriptedSource(["a": "one", "gone": ""])
        source.change { $0["gone"]?.outcome = .absent }
        let shop = try await Workshop(["Site": source])
        let (asset, ended) = try await shop.ingest("Site")
        #expect(ended.status == .completed)
        #expect(ended.counters.itemsTotal == 2)
        #expect(ended.counters.itemsProcessed == 2)
        #expect(try await shop.documents(of: asset).map(\.fileName) == ["a.txt"])
        await shop.close()
    }

    @Test func `what the listing brings is not read`() async throws {
        let source = ScriptedSource(["entry": "its text"])
        source.change { $0["entry"]?.bringsContent = true }
        let shop = try await Workshop(["Feed": source])
        let (asset, ended) = try await shop.ingest("Feed")
        #expect(ended.status == .completed)
        #expect(source.readKeys.isEmpty)
        #expect(try await shop.texts("entry", of: asset) == ["its text"])
        await shop.close()
    }

    @Test func `a text of more chunks than a commit has is kept whole`() async throws {
        let lines = (0..<1000).map { "line \($0)" }
        let shop = try await Workshop(["Handbook": ScriptedSource(["a": lines.joined(separator: "\n")])])
        let (asset, ended) = try await shop.ingest("Handbook")
        #expect(ended.counters.chunkCount == 1000)
        #expect(try await shop.texts("a", of: asset) == lines)
        let document = try await shop.document("a", of: asset)
        #expect(document.chunkCount == 1000)
        #expect(document.tokenCount == ended.counters.tokenCount)
        await shop.close()
    }

    @Test func `a type that only reading told brings the title of its text`() async throws {
        let source = ScriptedSource(["titled": "text"])
        source.change { $0["titled"]?.isTypeListed = false }
        let shop = try await Workshop(["Site": source])
        let (asset, _) = try await shop.ingest("Site")
        #expect(try await shop.documents(of: asset).map(\.fileName) == ["A title"])
        await shop.close()
    }

    @Test func `a name that the source gave stays`() async throws {
        let shop = try await Workshop(["Drive": ScriptedSource(["titled": "text"])])
        let (asset, _) = try await shop.ingest("Drive")
        #expect(try await shop.documents(of: asset).map(\.fileName) == ["titled.txt"])
        await shop.close()
    }
}
