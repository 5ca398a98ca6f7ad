/// Tells whether the store can write, found out at most ten times a second however often it is asked: to find out is a
/// write of its own, and anybody may ask.
actor Readiness {
    private static let age: Duration = .milliseconds(100)

    private var running: Task<Result<Void, StoreError>, Never>?
    private var answer: (result: Result<Void, StoreError>, at: ContinuousClock.Instant)?

    func check(_ ask: @escaping @Sendable () async throws(StoreError) -> Void) async throws(StoreError) {
        // What failed is tried again each time: it wrote nothing, and who waits for it to be well again should know.
        if let answer, case .success = answer.result, answer.at.duration(to: .now) < Self.age { return }
        if let running { return try await running.value.get() }
        let task = Task {
            do throws(StoreError) {
                return Result<Void, StoreError>.success(try await ask())
            } catch {
                return .failure(error)
            }
        }
        running = task
        let result = await task.value
        running = nil
        answer = (result, .now)
        try result.get()
    }
}
