extension Stage {
    /// Whole flows of one broker on PostgreSQL against one on SQLite, in turns. The server, which has the same cores, is
    /// told by itself.
    func postgres() async throws -> [Figure] {
        let count = amount(10_000, quick: 1000)
        let server = try PostgresServer(in: folder)
        let database = try server.database()
        let ours = try await FlowsMeasured(on: broker("flows-postgres", storage: server.url(database)), of: self)
        let theirs = try await FlowsMeasured(on: broker("flows-sqlite"), of: self)
        for side in [ours, theirs] { try side.warmUp() }

        try server.query("CHECKPOINT")
        let size = "SELECT pg_database_size('\(database)')"
        let log = "SELECT pg_current_wal_lsn() - '0/0'"
        let events = "SELECT pg_total_relation_size('audit_events')"
        let before = (
            size: try server.number(size), log: try server.number(log), events: try server.number(events, in: database)
        )
        var cpu = 0.0
        let rounds = amount(5, quick: 2)
        for _ in 0..<rounds {
            let used = try server.cpu
            try ours.measure(count)
            cpu += try server.cpu - used
            try theirs.measure(count)
        }
        let flows = Double(count * rounds)
        return [
            Figure(
                "flows a second on PostgreSQL (to SQLite)", ours.perSecond.median, "flows/s",
                baseline: theirs.perSecond.median, ratioAtLeast: 0.4),
            Figure(
                "flow on PostgreSQL, broker's CPU (to SQLite)", ours.cpu.median, "us", baseline: theirs.cpu.median,
                ratioAtMost: 1.15),
            Figure("flow on PostgreSQL, server's CPU", cpu / flows * 1e6, "us"),
            Figure("flow on PostgreSQL, p99 at 64 at once", ours.durations.quantile(0.99) * 1000, "ms"),
            Figure(
                "flow on PostgreSQL, answers with other tokens", Double(ours.flows.wrong + theirs.flows.wrong),
                "answers", atMost: 0),
            Figure("flow on PostgreSQL, resident memory of the broker", try ours.resident, "MiB"),
            Figure("flow on PostgreSQL, on the disk", (try server.number(size) - before.size) / flows, "bytes"),
            Figure(
                "flow on PostgreSQL, on the disk, audit events of it",
                (try server.number(events, in: database) - before.events) / flows, "bytes"),
            Figure(
                "flow on PostgreSQL, write-ahead log", (try server.number(log) - before.log) / flows, "bytes"),
        ]
    }
}

/// A broker, and what was measured of it in each round.
private final class FlowsMeasured {
    let flows: Flows
    private let broker: RunningService
    private(set) var perSecond: [Double] = []
    /// Microseconds of the broker's a flow.
    private(set) var cpu: [Double] = []
    private(set) var durations: [Double] = []

    init(on broker: RunningService, of stage: Stage) async throws {
        self.broker = broker
        flows = try await stage.flows(broker)
    }

    var resident: Double { get throws { try broker.process.resident } }

    func warmUp() throws { _ = try flows.complete(500, atOnce: 64) }

    func measure(_ count: Int) throws {
        let before = try broker.process.cpu
        let outcome = try flows.complete(count, atOnce: 64)
        cpu.append((try broker.process.cpu - before) / Double(count) * 1e6)
        perSecond.append(Double(count) / outcome.run.seconds)
        durations += outcome.durations
    }
}
