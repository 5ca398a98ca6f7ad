import Broker
import Dispatch
import Testing

@testable import SQLiteStore

/// Long looks have a connection of their own.
@Suite struct ReaderTests {
    private let folder: TemporaryFolder
    private let store: SQLiteStore

    init() throws {
        folder = try TemporaryFolder()
        store = try SQLiteStore(path: folder.database)
    }

    @Test func `what needs each master key is looked up beside what flows read`() async throws {
        let (store, gate) = (store, DispatchSemaphore(value: 0))
        let (entered, enter) = AsyncStream<Void>.makeStream()
        let flow = Task {
            try await store.reader.read { _ -> Bool in
                enter.finish()
                return gate.wait(timeout: .now() + 60) == .success
            }
        }
        for await _ in entered {}
        _ = try await store.masterKeyUses(at: Samples.now)
        gate.signal()
        #expect(try await flow.value)
    }

    /// Anybody may ask for it, without a token and as often as they like.
    @Test func `a flow's outcome is read beside what is written, and sees all that was`() async throws {
        let (store, gate) = (store, DispatchSemaphore(value: 0))
        let (entered, enter) = AsyncStream<Void>.makeStream()
        let flow = try Samples.flow()
        try await store.start(flow)
        #expect(try await store.outcome(of: flow.id)?.status == .started)
        _ = try #require(try await store.claim(flow.id, isBound: false, at: Samples.now))
        #expect(try await store.outcome(of: flow.id)?.status == .exchanging)
        let write = Task {
            try await store.writer.write { _ -> Bool in
                enter.finish()
                return gate.wait(timeout: .now() + 60) == .success
            }
        }
        for await _ in entered {}
        #expect(try await store.outcome(of: flow.id)?.status == .exchanging)
        gate.signal()
        #expect(try await write.value)
    }
}
