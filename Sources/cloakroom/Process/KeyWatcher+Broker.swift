import Broker
import Daemon
import Logging

extension KeyWatcher {
    /// Hands a broker the keys of the file, and has it move clients' secrets under the first.
    init(state: MasterKeyFile.State, broker: Broker, logger: Logger) {
        self.init(state: state, logger: logger) { ring in
            do throws(KeyRefusal) {
                return try await broker.replaceKeys(by: ring)
            } catch {
                throw Refusal(error.words)
            }
        } reseal: {
            do throws(StoreError) {
                let moved = try await broker.reseal { logger.info("sealing again", metadata: ["moved": "\($0)"]) }
                if moved > 0 { logger.notice("client secrets sealed again", metadata: ["moved": "\(moved)"]) }
            } catch {
                logger.error(
                    "what another master key sealed could not be moved", metadata: ["reason": "\(error.reason)"])
            }
        }
    }
}

extension KeyRefusal {
    fileprivate var words: String {
        switch self {
        case .missing(let uses):
            "the file lacks "
                + uses.sorted { $0.key < $1.key }.map { "the key \"\($0)\", which \($1.words ?? "nothing") needs" }
                .joined(separator: ", ") + "; put it back, or let a running broker move what it sealed first"
        case .another(let id): "the file has other bytes under \"\(id)\" than the database was sealed with"
        case .store(let error): "the database cannot tell what needs them (\(error.reason))"
        }
    }
}
