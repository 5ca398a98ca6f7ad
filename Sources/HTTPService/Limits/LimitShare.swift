import Secrets

/// The number of processes among which limits are divided, as it is known at the moment.
///
/// Each lets its part through: to count together would cost a write for every request.
public final class LimitShare: Sendable {
    private let number = Locked(1)

    /// For one process alone, until told otherwise.
    public init() {}

    /// At least 1.
    public var count: Int { number.withLock { $0 } }

    /// - Parameter count: this process and the others.
    public func set(_ count: Int) { number.withLock { $0 = max(1, count) } }
}
