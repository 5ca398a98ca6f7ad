import Broker
import Dispatch
import GRDB

/// A connection that only reads, beside the writer's, so that a long look holds up no flow.
///
/// `@unchecked Sendable`: `isClosed` is used on `queue` alone; the rest never changes.
final class Reader: @unchecked Sendable {
    private let connection: DatabaseQueue
    private let queue = DispatchQueue(label: "cloakroom-reader")
    /// GRDB would use a closed connection all the same.
    private var isClosed = false

    init(_ connection: DatabaseQueue) {
        self.connection = connection
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
        if isClosed { return .failure(.closed) }
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
                isClosed = true
                try? connection.close()
                continuation.resume()
            }
        }
    }
}
