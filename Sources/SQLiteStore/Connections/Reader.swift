import Broker
import Dispatch
import GRDB
import Secrets

/// A connection that only reads, beside the writer's, so that a long look holds up no flow.
final class Reader: Sendable {
    /// `nil` once it is closed: GRDB would use a closed connection all the same.
    private let connection: Locked<DatabaseQueue?>
    private let queue = DispatchQueue(label: "cloakroom-reader")

    init(_ connection: DatabaseQueue) {
        self.connection = Locked(connection)
    }

    func read<Result: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws(StoreError) -> Result {
        let outcome: Swift.Result<Result, StoreError> = await withCheckedContinuation { continuation in
            queue.async { [self] in continuation.resume(returning: perform(body)) }
        }
        return try outcome.get()
    }

    private func perform<Result>(_ body: (Database) throws -> Result) -> Swift.Result<Result, StoreError> {
        guard let connection = connection.withLock({ $0 }) else { return .failure(.closed) }
        do {
            return .success(try connection.read(body))
        } catch {
            return .failure(.unavailable(StoreFailure.reason(error)))
        }
    }

    /// Lets what waits finish.
    func close() async {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                try? connection.withLock { $0.take() }?.close()
                continuation.resume()
            }
        }
    }
}
