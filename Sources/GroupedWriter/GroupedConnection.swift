/// The one connection that writes to a database. Its writer's thread alone uses it.
@usableFromInline
package protocol GroupedConnection: SendableMetatype {
    /// The view of the database that an operation gets. Valid until the operation returns.
    associatedtype Transaction

    /// Runs `body` in one transaction and returns when that is on the disk.
    ///
    /// Where it throws, the transaction is rolled back. The error is that of `body` as it is, or a `TransactionFailure`
    /// for what the transaction itself met.
    func transaction(_ body: (Transaction) throws -> Void) throws

    /// Called once, after the last transaction.
    func close()
}

/// A failure of the lock or the disk: no operation caused it, and each that shared the transaction would meet it again.
@usableFromInline
package struct TransactionFailure: Error {
    /// The database's own error.
    @usableFromInline package let cause: any Error

    /// For a connection's `transaction`, around what the database threw.
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
    /// The operation's own error, or the transaction's.
    case failed(any Error)
}

/// An event in a writer's work.
@usableFromInline
package enum GroupedWriterEvent: Sendable {
    /// So many operations shared a commit, which took this long.
    case committed(operations: Int, duration: Duration)
    /// A transaction failed and was rolled back.
    case failed
    /// An operation was refused since too many waited.
    case refused
}
