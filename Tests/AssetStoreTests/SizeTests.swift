import AssetStore
import Assets
import Foundation
import Testing

@Suite struct SizeTests {
    /// As the ingestion of a folder of files of 4 KiB does it, cut by 512 tokens with 64 shared.
    @Test func `the files are at most two and a half times as large as the text`() async throws {
        let folder = try TemporaryFolder()
        let store = try SQLiteAssetStore(path: folder.database)
        try await store.make()
        let run = try await store.start()
        let count = 2000
        let items = (0..<count).map {
            SourceItem(
                key: "handbook/chapter-\($0 / 100)/section-\($0).md", fileName: "section-\($0).md",
                sourceURL: "https://github.com/acme/handbook/blob/main/handbook/chapter-\($0 / 100)/section-\($0).md",
                version: ItemVersion("3b18e512dba79e4c8300dd08aeb37f8e728b8dad"))
        }
        let queued = try await store.add(items, to: run)
        let chunks = [(0, 2048), (1792, 3840), (3584, 4096)].enumerated().map { index, range in
            StagedChunk(
                Chunk(
                    index: index, content: String(repeating: "x", count: range.1 - range.0),
                    headingPath: "Handbook > Section",
                    page: nil, scalars: range.0..<range.1, lines: 1...60, tokenCount: (range.1 - range.0) / 4))
        }
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    for item in stride(from: worker, to: count, by: 4).map({ queued[$0] }) {
                        _ = try? await store.begin([item.id], of: run.operation.id, at: .at(3))
                        _ = try? await store.complete(item, of: run, chunks)
                    }
                }
            }
        }
        let ended = try await store.end(run)
        #expect(ended.counters.itemsProcessed == count)
        let size = try bytes(of: folder.database)
        #expect(size <= 2 * count * 4096)
        // The log has one size whatever the text's: with ten thousand files it is a fifth of it.
        #expect(try bytes(of: folder.database + "-wal") <= 16 << 20)
    }

    private func bytes(of path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
    }
}
