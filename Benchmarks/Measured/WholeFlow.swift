extension Stage {
    /// Whole flows at 32 at once: what they cost the broker, how long they take, whether each gets its own tokens, and
    /// what the broker holds in memory afterwards.
    func wholeFlow() async throws -> [Figure] {
        let count = amount(100_000, quick: 4000)
        let broker = try broker("flow")
        let flows = try await flows(broker)
        _ = try flows.complete(500, atOnce: 32)
        let before = try broker.process.cpu
        let outcome = try flows.complete(count, atOnce: 32)
        let cpu = try broker.process.cpu - before
        let milliseconds = outcome.durations.map { $0 * 1000 }
        return [
            Figure("whole flow, server CPU", cpu / Double(count) * 1e6, "us", atMost: 200),
            Figure("whole flow, p99 at 32 at once", milliseconds.quantile(0.99), "ms", atMost: 20),
            Figure("whole flow, p50 at 32 at once", milliseconds.quantile(0.5), "ms"),
            Figure("whole flows a second", Double(count) / outcome.run.seconds, "flows/s"),
            Figure("answers with another flow's tokens", Double(flows.wrong), "answers", atMost: 0),
            Figure("resident after \(count) flows", try broker.process.resident, "MiB", atMost: 80),
        ]
    }
}
