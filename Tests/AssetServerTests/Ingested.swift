import AssetStore
import Assets
import Formats
import Foundation
import Testing

/// Plays the ingestion, as far as what it leaves in the store.
struct Ingested {
    let store: SQLiteAssetStore
    let clock: TestClock

    init(_ fixture: Fixture) {
        store = fixture.store
        clock = fixture.clock
    }

    /// Runs the next operation: each text becomes a document of one chunk a paragraph.
    @discardableResult
    func run(_ texts: [(name: String, text: String)], failing: [String] = []) async throws -> AssetOperation {
        let ingestion = try #require(try await store.next(excluding: [], at: clock.now))
        let operation = ingestion.operation.id
        let items = texts.map { SourceItem(key: $0.name, fileName: $0.name, contentType: "text/markdown") }
        guard case .added(let queued, _) = try await store.add(items, to: operation, mostDocuments: 1000, at: clock.now)
        else { throw Over() }
        _ = try await store.begin(queued.map(\.id), of: operation, at: clock.now)
        for item in queued {
            let text = texts.first { $0.name == item.item.fileName }?.text ?? ""
            let isFailing = failing.contains(item.item.fileName)
            let outcome =
                isFailing
                ? ItemOutcome(.failed(Document.Failure(.unreadable, "the file is broken"))) : Self.outcome(item, text)
            _ = try await store.finish(
                [FinishedItem(item.id, outcome)], of: operation, mostDocuments: 1000, at: clock.now)
        }
        let end = IngestionEnd.listed(isComplete: true, keepsVanished: false, isFull: false)
        return try #require(try await store.end(operation, end, at: clock.now))
    }

    /// Has the next operation RUNNING.
    func begin() async throws -> AssetOperation {
        try #require(try await store.next(excluding: [], at: clock.now)).operation
    }

    private static func outcome(_ item: QueuedItem, _ text: String) -> ItemOutcome {
        let paragraphs = text.split(separator: "\n\n").map(String.init)
        let chunks = paragraphs.enumerated().map { index, paragraph in
            StagedChunk(
                Chunk(
                    index: index, content: paragraph, headingPath: index == 0 ? nil : "A > B",
                    page: index == 0 ? nil : 2, scalars: 0..<paragraph.unicodeScalars.count, lines: 1...1,
                    tokenCount: (paragraph.utf8.count + 3) / 4))
        }
        let tokens = chunks.reduce(0) { $0 + $1.chunk.tokenCount }
        let document = ReadDocument(
            fileName: item.item.fileName, contentType: "text/markdown", sourceURL: "https://x.example/\(item.item.key)",
            size: text.utf8.count, version: ItemVersion(text), chunkCount: chunks.count, tokenCount: tokens)
        return ItemOutcome(.completed(document, last: chunks), tokensSpent: tokens)
    }

    private struct Over: Error {}
}
