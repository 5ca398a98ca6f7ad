extension Stage {
    /// Measures what a redemption costs the broker while many keys are outstanding, against few.
    ///
    /// The keys that are redeemed come from real flows; those that only lie there are copies of one of them under
    /// random digests, put straight into the file. With `--full` all are real.
    func outstanding() async throws -> [Figure] {
        let many = amount(1_000_000, quick: 100_000)
        let few = try await costOfRedemption(among: 1000)
        let costly = try await costOfRedemption(among: many)
        let thousands = many / 1000
        return [
            Figure(
                "redemption CPU, \(thousands)k keys outstanding (to 1k)", costly, "us", baseline: few, ratioAtMost: 1.3)
        ]
    }

    /// Microseconds of server CPU.
    private func costOfRedemption(among count: Int) async throws -> Double {
        let installation = try installation("outstanding-\(count)")
        var broker = try RunningService(binary, installation)
        if extent == .full {
            _ = try await flows(broker).leaveOutstanding(count)
        } else {
            _ = try await flows(broker).leaveOutstanding(1)
            broker.process.stop()
            try Filler(installation.database).add(count)
            broker = try RunningService(binary, installation)
        }
        let flows = try await flows(broker)
        _ = try flows.redeem(try flows.leaveOutstanding(500), atOnce: 64)
        var cpu = 0.0
        let batch = 1000
        let batches = amount(20, quick: 3)
        for _ in 0..<batches {
            let keys = try flows.leaveOutstanding(batch)
            let before = try broker.process.cpu
            _ = try flows.redeem(keys, atOnce: 64)
            cpu += try broker.process.cpu - before
        }
        guard flows.wrong == 0 else { throw Trouble("\(flows.wrong) answers with other tokens") }
        return cpu / Double(batch * batches) * 1e6
    }
}

/// Puts outstanding keys into the file of a broker that does not run: copies of the one that is there.
struct Filler {
    private let database: SQLite

    init(_ path: String) throws {
        database = try SQLite(path)
    }

    func add(_ count: Int) throws {
        try database.run(
            """
            PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; PRAGMA temp_store = MEMORY;
            CREATE TEMP TABLE filler (digest, flow);
            WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < \(count))
            INSERT INTO filler SELECT randomblob(32), randomblob(16) FROM number;
            BEGIN IMMEDIATE
            """)
        try insert(
            into: "credential_keys", replacing: ["digest": "digest", "flow": "flow"], orderedBy: "digest",
            where: "TRUE")
        try insert(
            into: "flows", replacing: ["id": "flow", "key_digest": "digest"], orderedBy: "flow",
            where: "key_digest IS NOT NULL")
        try database.run("COMMIT; DROP TABLE filler; PRAGMA wal_checkpoint(TRUNCATE)")
    }

    /// Every column as in the row that is there, except those that must differ. In the order of the key: faster.
    private func insert(
        into table: String, replacing values: [String: String], orderedBy order: String, where condition: String
    ) throws {
        let columns = try database.texts("SELECT name FROM pragma_table_info('\(table)')")
        let list = columns.joined(separator: ", ")
        let sources = columns.map { column in values[column].map { "filler.\($0)" } ?? "model.\(column)" }
        try database.run(
            """
            INSERT INTO \(table) (\(list)) SELECT \(sources.joined(separator: ", "))
            FROM filler, (SELECT * FROM \(table) WHERE \(condition) LIMIT 1) AS model ORDER BY filler.\(order)
            """)
    }
}
