/// A worker's place among those that may work at once.
public enum WorkPermit {
    /// The place of the task's document; `nil` where nobody counts.
    @TaskLocal package static var current: (any Yieldable)?

    /// Waits, so that a document that has to wait holds nobody else up. Throws where the task is cancelled.
    public static func pause(for duration: Duration) async throws(CancellationError) {
        guard let current else { return try await sleep(duration) }
        try await current.yield { () async throws(CancellationError) in try await sleep(duration) }
    }

    /// A place that can be given to others for a while.
    package protocol Yieldable: Sendable {
        func yield(
            while wait: @Sendable () async throws(CancellationError) -> Void
        ) async throws(CancellationError)
    }

    /// Waits without giving a place to anybody. Throws where the task is cancelled.
    public static func sleep(_ duration: Duration) async throws(CancellationError) {
        do { try await Task.sleep(for: duration) } catch { throw CancellationError() }
    }
}
