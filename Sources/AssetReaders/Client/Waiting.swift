import Assets
public import Formats
import Foundation

/// Time and chance, as the readers need them; for tests to choose.
public struct Waiting: Sendable {
    /// The time of day.
    public var now: @Sendable () -> Timestamp
    /// A number from 0 to 1.
    public var random: @Sendable () -> Double
    /// Returns after so long. Throws where the task is cancelled.
    public var pause: @Sendable (Duration) async throws(CancellationError) -> Void

    public init(
        now: @escaping @Sendable () -> Timestamp, random: @escaping @Sendable () -> Double,
        pause: @escaping @Sendable (Duration) async throws(CancellationError) -> Void
    ) {
        self.now = now
        self.random = random
        self.pause = pause
    }

    /// The real ones. A document that pauses gives its place to others meanwhile.
    public static let system = Waiting(
        now: { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) },
        random: { Double.random(in: 0...1) },
        pause: { (duration) async throws(CancellationError) in try await WorkPermit.pause(for: duration) })
}
