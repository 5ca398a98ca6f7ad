extension Stage {
    /// What PostgreSQL keeps on the disk for a flow while others come and go, after many against few.
    ///
    /// Not by requests, which would take a quarter of an hour: rows are copies of a real flow and go through the same
    /// changes, in transactions of their own, and the oldest are deleted as the sweep deletes them.
    func churn() async throws -> [Figure] {
        let kept = amount(100_000, quick: 10_000)
        let server = try PostgresServer(in: folder)
        let database = try server.database()
        let broker = try broker("churn", storage: server.url(database))
        _ = try await flows(broker).leaveOutstanding(1)
        broker.process.stop()
        let rows = PostgresRows(server, database)
        try rows.keepModel()
        try rows.removeAll()

        let first = try rows.passing(kept, keeping: kept)
        let last = try rows.passing(kept * 9, keeping: kept)
        return [
            Figure(
                "bytes on disk a kept flow, after \(kept / 100)k flows (to \(kept / 1000)k)", last, "bytes",
                baseline: first, ratioAtMost: 1.3)
        ]
    }
}
