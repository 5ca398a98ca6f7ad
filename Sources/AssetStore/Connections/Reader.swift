import Assets
import Dispatch
import GRDB
import Secrets

/// A connection that only reads, beside the writer's: who looks how far an operation is holds it up nowhere.
final class Reader: Sendable {
    /// `nil` once it is closed: GRDB would use a closed connection all the same.
    private let connection: Locked<DatabaseQueue?>
    private let queue = DispatchQueue(label: "cloakroom-assets-reader")

    init(_ connection: DatabaseQueue) {
        self.connection = Locked(connection)
    }

    /// For one statement, which sees one state of the database by itself.
    func first<Result: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws(AssetStoreError) -> Result {
        try await onQueue { try $0.unsafeRead(body) }
    }

    /// For several statements, which all see one state of the database.
    func read<Result: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws(AssetStoreError) -> Result {
        try await onQueue { try $0.read(body) }
    }

    private func onQueue<Result: Sendable>(
        _ body: @escaping @Sendable (DatabaseQueue) throws -> Result
    ) async throws(AssetStoreError) -> Result {
        let outcome: Swift.Result<Result, AssetStoreError> = await withCheckedContinuation { continuation in
            queue.async { [self] in continuation.resume(returning: perform(body)) }
        }
        return try outcome.get()
    }

    private func perform<Result>(_ body: (DatabaseQueue) throws -> Result) -> Swift.Result<Result, AssetStoreError> {
        guard let connection = connection.withLock({ $0 }) else { return .failure(.closed) }
        do {
            return .success(try body(connection))
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
