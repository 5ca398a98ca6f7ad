import Foundation

extension Stage {
    /// Whole flows for `minutes`, at half the rate that the broker reaches here: each second's share at once, then
    /// rest. Figures that must not grow are taken after the first minute and at the end.
    func soak(minutes: Int) async throws -> [Figure] {
        let broker = try broker("soak")
        let flows = try await flows(broker)
        let reference = try flows.complete(amount(10_000, quick: 2000), atOnce: 32)
        let rate = Double(reference.durations.count) / reference.run.seconds / 2
        let share = max(1, Int(rate))
        let began = Clock.seconds()
        var samples: [Sample] = []
        var durations: [Double] = []
        for second in 1...minutes * 60 {
            durations += try flows.complete(share, atOnce: 32).durations
            let rest = began + Double(second) - Clock.seconds()
            if rest > 0 { usleep(UInt32(rest * 1e6)) }
            guard second % 60 == 0 else { continue }
            let sample = try Sample(broker)
            samples.append(sample)
            Terminal.write("minute \(second / 60): \(durations.count) flows, \(sample)")
        }
        let seconds = Clock.seconds() - began
        guard let first = samples.first, let last = samples.last else { return [] }
        return [
            Figure("soak, flows a second", Double(durations.count) / seconds, "flows/s", baseline: rate * 2),
            Figure("soak, flows", Double(durations.count), "flows"),
            Figure("soak, p99", durations.quantile(0.99) * 1000, "ms"),
            Figure("soak, answers with another flow's tokens", Double(flows.wrong), "answers", atMost: 0),
            Figure("soak, resident, end to first minute", last.resident, "MiB", baseline: first.resident),
            Figure("soak, descriptors, end to first minute", last.descriptors, "files", baseline: first.descriptors),
            Figure("soak, threads, end to first minute", last.threads, "threads", baseline: first.threads),
            Figure("soak, write-ahead log, end to first minute", last.log, "MiB", baseline: first.log),
            // A day's flows are kept, so that a spent key is recognised.
            Figure("soak, database, end to first minute", last.database, "MiB", baseline: first.database),
        ]
    }
}

/// The resources that a broker holds at one moment.
private struct Sample: CustomStringConvertible {
    let resident: Double
    let descriptors: Double
    let threads: Double
    let log: Double
    let database: Double

    init(_ broker: RunningService) throws {
        let files = FileManager.default
        func mebibytes(_ path: String) -> Double {
            let size = (try? files.attributesOfItem(atPath: path))?[.size] as? Int
            return Double(size ?? 0) / 1_048_576
        }
        let process = "/proc/\(broker.process.pid)"
        resident = try broker.process.resident
        descriptors = Double(try files.contentsOfDirectory(atPath: process + "/fd").count)
        threads = Double(try files.contentsOfDirectory(atPath: process + "/task").count)
        log = mebibytes(broker.database + "-wal")
        database = mebibytes(broker.database)
    }

    var description: String {
        "resident \(Table.text(resident)) MiB, \(Table.text(descriptors)) descriptors, \(Table.text(threads)) threads, "
            + "write-ahead log \(Table.text(log)) MiB, database \(Table.text(database)) MiB"
    }
}
