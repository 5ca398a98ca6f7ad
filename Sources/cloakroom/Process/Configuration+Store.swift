import Broker
import Daemon
import Formats
import PostgresStore
import SQLiteStore
import StoreParts

extension Configuration {
    /// Opens the store, or makes it.
    func openStore() throws(Refusal) -> any ObservableStore {
        switch store {
        case .sqlite:
            try database { path throws(OpeningError) in
                try SQLiteStore(path: path, keyRing: keyRing, bounds: bounds)
            }
        case .postgres(let settings):
            try postgres(settings) { settings throws(PostgresOpeningError) in
                try PostgresStore(settings, keyRing: keyRing, bounds: bounds)
            }
        }
    }

    /// Throws where `openStore` would. Changes nothing.
    func inspectStore() throws(Refusal) {
        switch store {
        case .sqlite:
            try database { path throws(OpeningError) in try SQLiteStore.inspect(path: path, keyRing: keyRing) }
        case .postgres(let settings):
            try postgres(settings) { settings throws(PostgresOpeningError) in
                try PostgresStore.inspect(settings, keyRing: keyRing)
            }
        }
    }

    /// Lines on a server that is as it should not be, and on which a broker runs all the same.
    func storeWarnings() throws(Refusal) -> [String] {
        guard case .postgres(let settings) = store else { return [] }
        let condition = try postgres(settings) { settings throws(PostgresOpeningError) in
            try PostgresStore.condition(settings) { .now }
        }
        return Examination.findings(on: condition, settings).filter { $0.level != .ok }.map { finding in
            "\(finding.subject): \(finding.words)" + (finding.hint.map { "; \($0)" } ?? "")
        }
    }
}
