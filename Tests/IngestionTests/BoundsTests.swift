import Assets
import Foundation
import Secrets
import Testing

/// Sources that have too much.
@Suite struct BoundsTests {
    @Test func `what is beyond the most documents is not read, and the operation says so`() async throws {
        let source = ScriptedSource(["a": "one", "b": "two", "c": "three"])
        let shop = try await Workshop(["Handbook": source], maxDocuments: 2)
        let (asset, ended) = try await shop.ingest("Handbook")
        #expect(ended.status == .completed)
        #expect(ended.failure?.code == .tooManyDocuments)
        #expect(try await shop.documents(of: asset).map(\.fileName) == ["a.txt", "b.txt"])
        #expect(source.readKeys.sorted() == ["a", "b"])
        await shop.close()
    }

    @Test func `where not all fit, nothing is removed and what is there is renewed`() async throws {
        let source = ScriptedSource(["a": "one", "b": "two"])
        let shop = try await Workshop(["Handbook": source], maxDocuments: 2)
        let (asset, _) = try await shop.ingest("Handbook")
        source.change { script in
            script.pageSize = 1
            script.entries = [
                ("c", .init(text: "three", version: "1")), ("d", .init(text: "four", version: "1")),
                ("b", .init(text: "new", version: "2")),
            ]
        }
        let ended = try await shop.ingestAgain(asset)
        #expect(ended.failure?.code == .tooManyDocuments)
        #expect(ended.counters.itemsRemoved == 0)
        #expect(try await shop.documents(of: asset).map(\.fileName) == ["a.txt", "b.txt"])
        #expect(try await shop.texts("b", of: asset) == ["new"])
        await shop.close()
    }

    @Test func `pages that lead to ever more pages end at the most documents`() async throws {
        let source = ScriptedSource()
        source.change { script in
            script["0"] = .init(text: "home", version: "1", isWholeSource: true, leadsTo: ["1", "2"])
            for page in 1...40 {
                script["\(page)"] = .init(
                    text: "page", version: "1", isListed: false, leadsTo: ["\(page * 2 + 1)", "\(page * 2 + 2)"])
            }
        }
        let shop = try await Workshop(["Site": source], maxDocuments: 10)
        let (asset, ended) = try await shop.ingest("Site")
        #expect(ended.failure?.code == .tooManyDocuments)
        #expect(try await shop.documents(of: asset).count == 10)
        await shop.close()
    }

    @Test func `a listing of ever new documents ends when no more may be kept`() async throws {
        let source = ScriptedSource()
        source.change { script in
            script.page = { number in
                ListingPage(
                    items: [
                        SourceItem(
                            key: "\(number)", fileName: "\(number).txt",
                            content: SourceContent(bytes: [0x61], contentType: "text/plain"))
                    ], next: ListingCursor(String(number + 1)))
            }
        }
        let shop = try await Workshop(["Endless": source], maxDocuments: 5)
        let (_, ended) = try await shop.ingest("Endless")
        #expect(ended.counters.itemsTotal == 5)
        #expect(source.listedPages.count == 6)
        await shop.close()
    }

    @Test func `a listing of ever new addresses that are no documents ends`() async throws {
        let source = ScriptedSource()
        source.change { script in
            script.page = { number in
                ListingPage(
                    items: [SourceItem(key: "\(number)", fileName: "\(number).txt")],
                    next: ListingCursor(String(number + 1)))
            }
        }
        let shop = try await Workshop(["Endless": source], maxDocuments: 5)
        let (asset, ended) = try await shop.ingest("Endless")
        #expect(ended.status == .completed)
        #expect(try await shop.documents(of: asset).isEmpty)
        await shop.close()
    }

    @Test func `a listing that repeats itself for ever ends, and removes nothing`() async throws {
        let source = ScriptedSource(["a": "one", "b": "two"])
        let shop = try await Workshop(["Endless": source], maxDocuments: 5)
        let (asset, _) = try await shop.ingest("Endless")
        source.change { script in
            script.page = { number in
                ListingPage(
                    items: [SourceItem(key: "a", fileName: "a.txt", version: ItemVersion("1"))],
                    next: ListingCursor(String(number + 1)))
            }
        }
        let ended = try await shop.ingestAgain(asset)
        #expect(ended.status == .completed)
        #expect(ended.counters.itemsRemoved == 0)
        #expect(try await shop.documents(of: asset).count == 2)
        await shop.close()
    }

    /// Embedders are slow: whoever waits for one keeps its text alone.
    @Test func `the bytes of a document are let go once its text is known`() async throws {
        let size = 64 << 20
        let source = ScriptedSource(["a": String(repeating: "x", count: size)])
        let resident = Locked([Int]())
        let note: @Sendable () -> Void = { resident.withLock { $0.append(Self.residentBytes()) } }
        let embedder = ScriptedEmbedder(beforeCall: { (_) throws(EmbedderFault) in note() })
        let shop = try await Workshop(["Handbook": source], embedder: embedder, maxDocumentBytes: size) { parts, _ in
            parts.extractor = TitleExtractor(beforeExtraction: note)
        }
        #expect(try await shop.ingest("Handbook", model: .small).ended.status == .completed)
        let seen = resident.withLock { $0 }
        try #require(seen.count == 2)
        // Other tests take some meanwhile.
        #expect(seen[0] - seen[1] > size / 2)
        await shop.close()
    }

    /// proc_pid_statm(5)
    private static func residentBytes() -> Int {
        let statm = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return statm.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 4096 } ?? 0
    }
}

/// Takes a few words out of a document, however large it is.
private struct TitleExtractor: TextExtractor {
    let beforeExtraction: @Sendable () -> Void

    var supportedTypes: [SupportedType] { [] }

    func extract(_ content: SourceContent, fileName: String) async throws(Document.Failure) -> ExtractedText {
        beforeExtraction()
        return ExtractedText(bytes: Array("a few words".utf8))
    }
}
