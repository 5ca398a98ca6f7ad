import BrokerClient

/// The waits between tries of one call of the broker: what it asks for, else doubled each time.
public struct RetryPause: Sendable {
    /// Tries in all.
    public var attempts: Int
    public var base: Duration
    public var max: Duration

    public init(attempts: Int, base: Duration, max: Duration) {
        self.attempts = attempts
        self.base = base
        self.max = max
    }

    /// The wait after a try that failed; `nil` after the last one.
    ///
    /// - Parameters:
    ///   - attempt: from 1.
    ///   - asked: by the other side.
    ///   - jitter: 0 to 1, so that those who failed together do not come back together.
    func pause(after attempt: Int, asked: Duration?, jitter: Double) -> Duration? {
        guard attempt < attempts else { return nil }
        if let asked { return min(asked, max) }
        let doubled = base * (1 << min(attempt - 1, 20))
        return min(doubled, max) * (0.5 + jitter / 2)
    }
}
