extension Stage {
    /// Whole flows of 1, 2, 4 and 8 brokers on one PostgreSQL, whose token endpoint takes 50 ms. Each broker has a share
    /// of a core, so that neither the machine nor the load is the limit. Where commits wait for each other more operations
    /// share one, so that many brokers may make more than their number: their CPU a flow tells.
    func brokers() async throws -> [Figure] {
        let counts = [1, 2, 4, 8]
        let server = try PostgresServer(in: folder)
        let slow = try OwnServer("slow-token-endpoint", checkedAt: "/", in: folder)
        let installation = try installation(
            "brokers", storage: server.url(server.database()), tokenPort: slow.port)
        let brokers = try (0..<8).map { _ in
            try RunningService(binary, installation, port: Sockets.freePort())
        }
        let flows = try counts.map { count in
            Flows(ports: brokers.prefix(count).map(\.port), tokens: try callers.tokens(64))
        }
        _ = try flows[3].complete(500, atOnce: 64)
        let throttle = Throttle(brokers.map(\.process), share: Self.shareOfACore)
        defer { throttle.end() }

        let each = amount(1000, quick: 200)
        var perSecond = counts.map { _ in [Double]() }
        var cpu = counts.map { _ in (ofServer: 0.0, ofBrokers: 0.0) }
        let rounds = amount(3, quick: 1)
        for _ in 0..<rounds {
            for (index, count) in counts.enumerated() {
                _ = try flows[index].complete(each * count / 10, atOnce: Self.atOnce * count)
                let used = (try server.cpu, try brokers.map { try $0.process.cpu }.reduce(0, +))
                let run = try flows[index].complete(each * count, atOnce: Self.atOnce * count).run
                cpu[index].ofServer += try server.cpu - used.0
                cpu[index].ofBrokers += try brokers.map { try $0.process.cpu }.reduce(0, +) - used.1
                perSecond[index].append(Double(each * count) / run.seconds)
            }
        }
        // Used until here, whatever the optimizer sees.
        withExtendedLifetime((brokers, slow)) {}
        let one = perSecond[0].median
        let targets = [0, 1.9, 3.6, 7]
        let ratios = counts.indices.dropFirst().map { index in
            Figure(
                "flows a second, \(counts[index]) brokers (to 1)", perSecond[index].median, "flows/s", baseline: one,
                ratioAtLeast: targets[index])
        }
        let flowsMade = counts.map { Double(each * $0 * rounds) }
        return ratios + [
            Figure(
                "flow of 8 brokers, their CPU (to 1)", cpu[3].ofBrokers / flowsMade[3] * 1e6, "us",
                baseline: cpu[0].ofBrokers / flowsMade[0] * 1e6),
            Figure(
                "flow of 8 brokers, server's CPU (to 1)", cpu[3].ofServer / flowsMade[3] * 1e6, "us",
                baseline: cpu[0].ofServer / flowsMade[0] * 1e6),
            Figure(
                "flows of 8 brokers, answers with other tokens", Double(flows.map(\.wrong).reduce(0, +)), "answers",
                atMost: 0),
        ]
    }

    private static let shareOfACore = 0.08
    /// Flows at once for each broker.
    private static let atOnce = 48
}
