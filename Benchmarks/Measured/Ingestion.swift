import Foundation

extension Stage {
    /// Many small documents without embedder, against fetching them alone by the same libcurl, as many at once, from the
    /// same server, in turns.
    func ingestion() async throws -> [Figure] {
        let count = amount(10_000, quick: 2000)
        let drive = try drive()
        let fetching = Fetching(port: drive.port, places: Installation.documentsAtOnce)
        _ = try await fetching.fetch(1000)
        var (ours, bare): ([Double], [Double]) = ([], [])
        var (cpu, bareCPU, resident, growth) = (0.0, 0.0, 0.0, 0.0)
        let rounds = amount(3, quick: 1)
        for round in 0..<rounds {
            let own = Clock.ownCPU()
            bare.append(try await fetching.fetch(count))
            bareCPU += Clock.ownCPU() - own
            let service = try assetService("ingestion-\(round)", drive)
            let before = try (cpu: service.process.cpu, size: service.databaseSize)
            ours.append(Double(count) / (try ingest(count, service, pollsPerSecond: 20).seconds))
            cpu += try service.process.cpu - before.cpu
            resident = max(resident, try service.process.mostResident)
            growth = max(growth, service.databaseSize - before.size)
            service.process.stop()
        }
        let text = Double(count * Drive.fileSize) / 1_048_576
        return [
            Figure(
                "ingestion, \(count) documents of 4 KiB (to fetching)", ours.median, "docs/s", baseline: bare.median,
                ratioAtLeast: 1.0 / 3),
            // Where others keep the machine busy, it varies less than the documents a second.
            Figure(
                "ingestion, server CPU (to fetching)", cpu / Double(count * rounds) * 1e6, "us",
                baseline: bareCPU / Double(count * rounds) * 1e6),
            Figure("ingestion, SQLite growth (to the text)", growth, "MiB", baseline: text, ratioAtMost: 2.5),
            Figure("ingestion, most resident", resident, "MiB", atMost: 120),
        ]
    }

    /// Runs an ingestion to its end.
    func ingest(_ count: Int, _ service: RunningService, pollsPerSecond: Double) throws -> AssetCalls.Followed {
        let calls = try assetCalls(service)
        let followed = try calls.follow(calls.ingest(count), rate: pollsPerSecond)
        guard followed.operation.itemsProcessed == count else {
            throw Trouble("\(followed.operation.itemsProcessed) documents of \(count)")
        }
        return followed
    }
}

extension RunningService {
    /// The database with its log, in MiB.
    var databaseSize: Double {
        ["", "-wal"].reduce(0) { sum, suffix in
            let attributes = try? FileManager.default.attributesOfItem(atPath: database + suffix)
            return sum + Double(attributes?[.size] as? Int ?? 0) / 1_048_576
        }
    }
}

extension Clock {
    /// User and system time of this process, in seconds. POSIX has a million of `clock` in each.
    fileprivate static func ownCPU() -> Double { Double(clock()) / 1e6 }
}
