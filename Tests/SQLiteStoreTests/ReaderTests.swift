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
                return gate.wait(timeout: .now() + 10) == .success
            }
        }
        for await _ in entered {}
        _ = try await store.masterKeyUses(at: Samples.now)
        gate.signal()
        #expect(try await flow.value)
    }
}
