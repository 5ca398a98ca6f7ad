public import Formats
public import Secrets

/// A moment by two clocks: the one that people set, and the time since the machine started, which nobody sets and which
/// means nothing to another machine.
public struct Moment: Sendable, Equatable {
    /// The clock that people set.
    public let time: Timestamp
    /// The machine, from its start to its end.
    public let machine: Digest
    /// Milliseconds since that start.
    public let uptime: Int64

    /// A moment as a store kept it; brokers get theirs from their `Machine`.
    public init(time: Timestamp, machine: Digest, uptime: Int64) {
        self.time = time
        self.machine = machine
        self.uptime = uptime
    }

    /// Tells whether fewer than so many milliseconds went by since `earlier`. On one machine no setting of the clock
    /// has a say in it: a moment before `earlier` was taken while what is asked waited for the store. Where the machine
    /// has restarted, or is another one, a clock that shows less than before was set back, and the time is over.
    public func isWithin(_ milliseconds: Int64, of earlier: Moment) -> Bool {
        if machine == earlier.machine { return uptime - earlier.uptime < milliseconds }
        let age = time.milliseconds.subtractingReportingOverflow(earlier.time.milliseconds).0
        return (0..<milliseconds).contains(age)
    }
}

/// The machine that a broker runs on, from its start to its end.
public struct Machine: Sendable {
    private let id: Digest
    private let start: ContinuousClock.Instant

    /// A machine that several processes may share.
    ///
    /// - Parameters:
    ///   - name: the same in all processes on it, and another after its restart.
    ///   - start: the moment of its start, by a clock that nobody sets.
    public init(name: String, start: ContinuousClock.Instant) {
        id = Digest(of: name)
        self.start = start
    }

    /// A machine for this process alone: other processes go by the clock that people set.
    public static func ofOneProcess(at now: ContinuousClock.Instant) -> Machine {
        Machine(name: Base64URL.encode(Random.bytes(16)), start: now)
    }

    func moment(_ time: Timestamp, at now: ContinuousClock.Instant) -> Moment {
        let (seconds, attoseconds) = start.duration(to: now).components
        return Moment(time: time, machine: id, uptime: seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }
}
