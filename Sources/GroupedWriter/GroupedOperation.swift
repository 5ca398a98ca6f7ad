/// One caller's work, and the way back to it. After it was handed over, only the writer's thread touches it.
@usableFromInline
protocol GroupedOperation<Transaction>: AnyObject {
    associatedtype Transaction

    func run(_ transaction: Transaction) throws
    func finish(_ error: GroupedWriterError?)
}

@usableFromInline
final class Write<Transaction, Result: Sendable>: GroupedOperation {
    @usableFromInline typealias Outcome = Swift.Result<Result, GroupedWriterError>

    @usableFromInline let body: @Sendable (Transaction) throws -> Result
    @usableFromInline let continuation: CheckedContinuation<Outcome, Never>
    @usableFromInline var result: Result?

    @inlinable
    init(
        _ body: @escaping @Sendable (Transaction) throws -> Result,
        resuming continuation: CheckedContinuation<Outcome, Never>
    ) {
        self.body = body
        self.continuation = continuation
    }

    @inlinable
    func run(_ transaction: Transaction) throws {
        result = try body(transaction)
    }

    @inlinable
    func finish(_ error: GroupedWriterError?) {
        if let error {
            continuation.resume(returning: .failure(error))
        } else if let result {
            continuation.resume(returning: .success(result))
        } else {
            continuation.resume(returning: .failure(.closed))
        }
    }
}
