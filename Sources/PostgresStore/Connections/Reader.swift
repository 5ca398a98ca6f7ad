import Broker
import Dispatch
import Secrets

/// A connection that only reads, beside the writer's, so that a long look holds up no flow. Made when it is first needed,
/// and made again when it is lost.
///
/// `@unchecked Sendable`: `connection` and what stands with it are touched on `queue` alone; `isClosed` is locked.
final class Reader: @unchecked Sendable {
    private let settings: PostgresSettings
    private let queue: DispatchQueue
    private let isClosed = Locked(false)
    private var connection: Connection?
    private var retryAt = ContinuousClock.now
    private var lastFailure: PostgresFailure?
    private let patience: Duration

    /// - Parameter patience: the time that a statement may take.
    init(_ settings: PostgresSettings, name: String, patience: Duration) {
        self.settings = settings
        self.patience = patience
        queue = DispatchQueue(label: name)
    }

    func read<Result: Sendable>(
        _ body: @escaping @Sendable (Connection) throws -> Result
    ) async throws(StoreError) -> Result {
        let outcome: Swift.Result<Result, StoreError> = await withCheckedContinuation { continuation in
            queue.async { [self] in continuation.resume(returning: perform(body)) }
        }
        return try outcome.get()
    }

    private func perform<Result>(_ body: (Connection) throws -> Result) -> Swift.Result<Result, StoreError> {
        guard !isClosed.withLock({ $0 }) else { return .failure(.closed) }
        // Twice: what a server's restart left is of no use, and shows with the next statement only.
        for isLast in [false, true] {
            do {
                return .success(try body(try connected()))
            } catch {
                let failure = error as? PostgresFailure
                if failure?.endsConnection == true { connection = nil }
                if isLast || failure?.endsConnection != true {
                    return .failure(.unavailable(StoreFailure.reason(error)))
                }
            }
        }
        return .failure(.unavailable(""))
    }

    private func connected() throws(PostgresFailure) -> Connection {
        if let connection { return connection }
        if let lastFailure, ContinuousClock.now < retryAt { throw lastFailure }
        do throws(PostgresFailure) {
            let made = try Connection.open(settings, until: .now + .seconds(4))
            try made.run(setup: Session.readingSettings)
            try made.prepare(Statement.reading)
            made.patience = patience
            connection = made
            lastFailure = nil
            return made
        } catch {
            // All that waits is told at once, not each after a try of its own.
            retryAt = .now + .milliseconds(Int.random(in: 200...400))
            lastFailure = error
            throw error
        }
    }

    /// Lets what waits finish.
    func close() async {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                isClosed.withLock { $0 = true }
                connection = nil
                continuation.resume()
            }
        }
    }
}
