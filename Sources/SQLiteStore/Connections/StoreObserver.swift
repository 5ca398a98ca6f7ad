public import StoreParts

extension SQLiteStore {
    /// Has an observer told what the store does from now on, in place of any before it. A broken trail that was found
    /// before is told with the next transaction.
    public func observe(_ observer: @escaping @Sendable (WriterEvent) -> Void) {
        writer.observe(observer)
    }

    /// The number of operations that wait for their commit.
    public var waitingCount: Int { writer.waitingCount }
}
