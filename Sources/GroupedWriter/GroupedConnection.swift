/// The one connection that writes to a database. Its writer's thread alone uses it.
@usableFromInline
package protocol GroupedConnection: SendableMetatype {
    /// What an operation works with. Valid until the operation returns.
    associatedtype Transaction

    /// Runs `body` in one transaction and returns when that is on the disk.
    ///
    /// Takes everything back where it throws: the error of `body` as it is, and what the transaction itself met as a
    /// `TransactionFailure`.
    func transaction(_ body: (Transaction) throws -> Void) throws

    func close()
}

/// The lock, the disk: nothing that one operation could have caused, so all of a transaction would meet it again.
@usableFromInline
package struct TransactionFailure: Error {
    @usableFromInline package let cause: any Error

    package init(_ cause: any Error) {
        self.cause = cause
    }
}

/// A reason why an operation left nothing behind.
@usableFromInline
package enum GroupedWriterError: Error {
    /// The writer is closed.
    case closed
    /// Too many operations wait.
    case overloaded
    case failed(any Error)
}

/// What a writer did.
@usableFromInline
package enum GroupedWriterEvent: Sendable {
    /// So many operations shared a commit, which took this long.
    case committed(operations: Int, duration: Duration)
    /// A transaction failed and was rolled back.
    case failed
    /// An operation was refused since too many waited.
    case refused
}
