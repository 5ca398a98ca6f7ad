import Glibc

extension Stage {
    /// From the start of the process to the first 200 of `readyz`, and what it then holds in memory.
    func start() throws -> [Figure] {
        let installation = try installation("start")
        var times: [Double] = []
        var resident = 0.0
        // The first makes the database, the others open it. The first also fills the disk cache.
        for _ in 0..<amount(7, quick: 3) {
            let broker = try RunningService(binary, installation)
            times.append(broker.readyAfter * 1000)
            usleep(amount(1_000_000, quick: 200_000))
            resident = max(resident, try broker.process.resident)
            broker.process.stop()
        }
        return [
            Figure("start to readyz (first, new database)", times[0], "ms"),
            Figure("start to readyz (median of \(times.count))", times.median, "ms", atMost: 150),
            Figure("resident, idle", resident, "MiB", atMost: 45),
        ]
    }
}
