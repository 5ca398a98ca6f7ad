extension Stage {
    /// `assets:authorize` against a bare route that parses and answers the same JSON, in turns.
    func authorize() async throws -> [Figure] {
        let connections = 64
        let broker = try broker("authorize")
        let baseline = try OwnServer("baseline-server", checkedAt: "/healthz", in: folder)
        let requests = try callers.tokens(connections).map { Requests.authorize(token: $0) }
        let seconds = amount(3, quick: 0.7)
        let toBroker = Load(port: broker.port, connections: connections)
        let toBaseline = Load(port: baseline.port, connections: connections)
        for load in [toBaseline, toBroker] { _ = try load.run(requests, seconds: seconds / 2) }

        var ours: [Double] = []
        var bare: [Double] = []
        var (cpu, bareCPU) = (0.0, 0.0)
        var (answers, bareAnswers) = (0, 0)
        for _ in 0..<amount(4, quick: 2) {
            var before = try baseline.process.cpu
            var run = try toBaseline.run(requests, seconds: seconds)
            bareCPU += try baseline.process.cpu - before
            bareAnswers += run.answers
            bare.append(run.perSecond)

            before = try broker.process.cpu
            run = try toBroker.run(requests, seconds: seconds)
            cpu += try broker.process.cpu - before
            answers += run.answers
            ours.append(run.perSecond)
        }

        // A token that was never seen has to be verified; most callers come back with theirs.
        let fresh = try callers.tokens(amount(20_000, quick: 2000)).map { Requests.authorize(token: $0) }
        var sent = 0
        let verified = try toBroker.run { _, answer in
            if let answer, answer.status != 200 { throw Trouble(unexpected: answer) }
            guard sent < fresh.count else { return nil }
            defer { sent += 1 }
            return fresh[sent]
        }
        return [
            Figure(
                "authorize, ES256, \(connections) connections", ours.median, "req/s", baseline: bare.median,
                ratioAtLeast: 0.5),
            Figure("authorize, a new token each time", verified.perSecond, "req/s", baseline: bare.median),
            Figure(
                "authorize, server CPU", cpu / Double(answers) * 1e6, "us",
                baseline: bareCPU / Double(bareAnswers) * 1e6),
        ]
    }
}
