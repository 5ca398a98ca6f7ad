extension Stage {
    /// Redemptions against the rows that SQLite alone deletes from a copy of the same table, 32 a commit, in turns.
    func redemption() async throws -> [Figure] {
        let connections = 64
        let count = amount(20_000, quick: 2000)
        let installation = try installation("redemption")
        let broker = try RunningService(binary, installation)
        let flows = try await flows(broker)
        _ = try flows.redeem(try flows.leaveOutstanding(500), atOnce: connections)
        var ours: [Double] = []
        var bare: [Double] = []
        var cpu = 0.0
        let rounds = amount(3, quick: 2)
        for round in 0..<rounds {
            let keys = try flows.leaveOutstanding(count)
            let table = try SQLiteBaseline(
                copying: installation.database, to: "\(installation.folder)/baseline-\(round).db")
            let deletion = try table.deleteAll(inOneCommit: 32)
            bare.append(Double(deletion.rows) / deletion.seconds)

            let before = try broker.process.cpu
            let run = try flows.redeem(keys, atOnce: connections)
            cpu += try broker.process.cpu - before
            ours.append(run.perSecond)
        }
        let each = cpu / Double(count * rounds) * 1e6
        return [
            Figure(
                "redemption, \(connections) connections", ours.median, "rows/s", baseline: bare.median,
                ratioAtLeast: 0.5),
            Figure("redemption, server CPU", each, "us"),
            Figure("redemption, answers with other tokens", Double(flows.wrong), "answers", atMost: 0),
        ]
    }
}
