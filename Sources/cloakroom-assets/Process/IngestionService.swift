import Assets
import Daemon
import ServiceLifecycle

/// The ingestion as a part of the process: takes up what an earlier one left, and ends with it.
struct IngestionService: ServiceLifecycle.Service {
    let ingestions: Ingestions

    func recover() async throws(Refusal) {
        do throws(AssetStoreError) {
            try await ingestions.recover()
        } catch {
            throw Refusal("storage.url: what was under way cannot be taken up: \(error.words)")
        }
    }

    /// Runs until the group that it belongs to stops: what is in work then goes on at the next start.
    func run() async throws {
        await withGracefulShutdownHandler {
            await ingestions.run()
        } onGracefulShutdown: {
            Task { await ingestions.stop() }
        }
    }
}

extension AssetStoreError {
    var words: String {
        switch self {
        case .unavailable(let reason): reason
        case .closed: "the database is closed"
        }
    }
}
