extension Stage {
    /// What a redemption costs broker and server together while many keys are outstanding, against few.
    ///
    /// As on SQLite: the keys that are redeemed come from real flows, the others are copies of one.
    func outstandingOnPostgres() async throws -> [Figure] {
        let many = amount(1_000_000, quick: 50_000)
        let server = try PostgresServer(in: folder)
        let sides = [
            try await Outstanding(1000, server, self), try await Outstanding(many, server, self),
        ]
        try server.query("CHECKPOINT")
        for round in 0..<amount(20, quick: 3) + 1 {
            for side in sides { try side.measure(1000, isWarmUp: round == 0) }
        }
        let (few, costly) = (sides[0], sides[1])
        return [
            Figure(
                "redemption on PostgreSQL, CPU, \(many / 1000)k keys outstanding (to 1k)", costly.cost, "us",
                baseline: few.cost, ratioAtMost: 1.3),
            Figure(
                "redemption on PostgreSQL, CPU of it the server's", costly.costOfServer, "us",
                baseline: few.costOfServer),
        ]
    }
}

/// A broker with keys outstanding in a database of its own.
private final class Outstanding {
    private let server: PostgresServer
    private let broker: RunningService
    private let flows: Flows
    private var (own, ofServer, redeemed) = (0.0, 0.0, 0)

    init(_ count: Int, _ server: PostgresServer, _ stage: Stage) async throws {
        self.server = server
        let database = try server.database()
        broker = try stage.broker("outstanding-postgres-\(count)", storage: server.url(database))
        flows = try await stage.flows(broker)
        _ = try flows.leaveOutstanding(1)
        let rows = PostgresRows(server, database)
        try rows.keepModel()
        try rows.addOutstanding(count)
    }

    func measure(_ count: Int, isWarmUp: Bool) throws {
        let keys = try flows.leaveOutstanding(count)
        let before = (try broker.process.cpu, try server.cpu)
        _ = try flows.redeem(keys, atOnce: 64)
        guard flows.wrong == 0 else { throw Trouble("\(flows.wrong) answers with other tokens") }
        guard !isWarmUp else { return }
        own += try broker.process.cpu - before.0
        ofServer += try server.cpu - before.1
        redeemed += count
    }

    /// Microseconds a redemption.
    var cost: Double { (own + ofServer) / Double(redeemed) * 1e6 }
    var costOfServer: Double { ofServer / Double(redeemed) * 1e6 }
}
