import Testing

@testable import Assets

/// What became of documents, on its way into few commits.
@Suite struct WaitingOutcomesTests {
    private let outcomes = WaitingOutcomes()

    private static func item(_ number: Int64, bytes: Int = 0) -> FinishedItem {
        let chunk = Chunk(
            index: 0, content: String(repeating: "x", count: bytes), headingPath: nil, page: nil, scalars: 0..<bytes,
            lines: 1...1, tokenCount: 1)
        let document = ReadDocument(
            fileName: "a", contentType: "text/plain", sourceURL: nil, size: bytes, version: ItemVersion("1"),
            chunkCount: 1, tokenCount: 1)
        return FinishedItem(ItemID(number), ItemOutcome(.completed(document, last: [StagedChunk(chunk)])))
    }

    private func next() -> [Int64]? { outcomes.next()?.map(\.id.number) }

    @Test func `one writes, and takes along what comes meanwhile`() {
        #expect(outcomes.add(Self.item(1)))
        #expect(next() == [1])
        #expect(!outcomes.add(Self.item(2)))
        #expect(!outcomes.add(Self.item(3)))
        #expect(next() == [2, 3])
        #expect(next() == nil)
        #expect(outcomes.add(Self.item(4)))
    }

    @Test func `a commit holds neither too many nor too much`() {
        for number in 1...130 { _ = outcomes.add(Self.item(Int64(number))) }
        #expect(next()?.count == 128)
        #expect(next() == [129, 130])
        for number in 1...5 { _ = outcomes.add(Self.item(Int64(number), bytes: 400_000)) }
        #expect(next() == [1, 2, 3])
        #expect(next() == [4, 5])
    }

    @Test func `only where several came at once is it worth waiting for more`() {
        _ = outcomes.add(Self.item(1))
        #expect(!outcomes.mayGrow)
        _ = outcomes.next()
        for number in 2...3 { _ = outcomes.add(Self.item(Int64(number))) }
        #expect(!outcomes.mayGrow)
        _ = outcomes.next()
        #expect(outcomes.mayGrow)
        for number in 4...40 { _ = outcomes.add(Self.item(Int64(number))) }
        #expect(!outcomes.mayGrow)
    }
}
