extension Stage {
    /// An ingestion that is asked a thousand times a second how far it is, against one that is left alone, in turns.
    func polling() throws -> [Figure] {
        let count = amount(10_000, quick: 2000)
        let rate = 1000.0
        let drive = try drive()
        var (polled, alone, polls): ([Double], [Double], [Double]) = ([], [], [])
        for round in 0..<amount(4, quick: 1) {
            for isPolled in [false, true] {
                let service = try assetService("polling-\(round)-\(isPolled)", drive)
                let followed = try ingest(count, service, pollsPerSecond: isPolled ? rate : 20)
                service.process.stop()
                let speed = Double(count) / followed.seconds
                if isPolled { polls.append(followed.pollsPerSecond) }
                if isPolled { polled.append(speed) } else { alone.append(speed) }
            }
        }
        return [
            Figure(
                "ingestion while polled (to one that is not)", polled.median, "docs/s", baseline: alone.median,
                ratioAtLeast: 0.9),
            Figure(
                "polls answered meanwhile (to those wanted)", polls.median, "polls/s", baseline: rate,
                ratioAtLeast: 0.95),
        ]
    }
}
