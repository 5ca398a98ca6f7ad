import Broker
import GRDB
import SQLiteStore
import Secrets

/// The engines that are held to one contract: every suite in this folder runs on each.
enum Engine: CaseIterable {
    case sqlite
}

/// The one database of a test, in whatever engine. Each store that is opened is another broker's on it.
struct TestDatabase: Sendable {
    enum Kept: String {
        case flows
        case credentialKeys = "credential_keys"
        case refreshes
        case refreshTokens = "refresh_tokens"
    }

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    func open(_ engine: Engine, bounds: FlowBounds = FlowBounds()) throws -> any BrokerStore {
        switch engine {
        case .sqlite:
            try SQLiteStore(path: folder.database, keyRing: KeyRing(Installation.firstKey), bounds: bounds)
        }
    }

    /// Counted by another connection, which sees only what was committed.
    func count(_ kept: Kept, in engine: Engine) async throws -> Int {
        switch engine {
        case .sqlite:
            var configuration = Configuration()
            configuration.readonly = true
            return try await DatabaseQueue(path: folder.database, configuration: configuration).read { db in
                try Int.fetchOne(db, sql: "SELECT count(*) FROM \(kept.rawValue)") ?? -1
            }
        }
    }
}
