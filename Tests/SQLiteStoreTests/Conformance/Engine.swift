import Broker
import GRDB
import PostgresStore
import SQLiteStore
import Secrets

/// The engines that are held to one contract: every suite in this folder runs on each.
enum Engine: CaseIterable {
    case sqlite
    case postgres

    /// Those whose ages between machines are told by the brokers' clocks. A server has its own, which no test sets.
    static let withoutClock = allCases.filter { $0 != .postgres }
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
    private let postgres = PostgresDatabase()

    init() throws { folder = try TemporaryFolder() }

    func open(_ engine: Engine, bounds: FlowBounds = FlowBounds()) throws -> any BrokerStore {
        switch engine {
        case .sqlite:
            try SQLiteStore(path: folder.database, keyRing: KeyRing(Installation.firstKey), bounds: bounds)
        case .postgres: try postgres.open(bounds: bounds)
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
        case .postgres: return try Int(postgres.value("SELECT count(*) FROM \(kept.rawValue)")) ?? -1
        }
    }
}
