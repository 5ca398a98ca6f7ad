/// What the writer did. Told on the way of requests: an observer must not block.
public enum WriterEvent: Sendable {
    /// So many operations shared a commit, which took this long.
    case committed(operations: Int, duration: Duration)
    /// A transaction failed and was rolled back.
    case failed
    /// An operation was refused since too many waited.
    case refused
}

extension SQLiteStore {
    /// Has an observer told what the writer does from now on.
    public func observe(_ observer: @escaping @Sendable (WriterEvent) -> Void) {
        writer.observe(observer)
    }

    /// How many operations wait for their commit.
    public var waitingCount: Int { writer.waitingCount }
}
