import Foundation

extension Stage {
    /// Where the broker's CPU time of a whole flow goes, at 32 at once: samples of its threads, each put down to the
    /// stage of the innermost function that belongs to one. What the flow costs as a whole is measured without `perf`.
    ///
    /// - Parameter order: the file that gets the broker's functions for the linker; see `CPUShares.order`.
    func cpuByStage(order: String?) async throws -> [Figure] {
        guard let perf = Self.perf else {
            Terminal.write("left out: there is no perf here (Debian: linux-perf)")
            return []
        }
        let count = amount(20_000, quick: 4000)
        let broker = try broker("stages")
        let flows = try await flows(broker)
        _ = try flows.complete(500, atOnce: 32)
        let before = try broker.process.cpu
        _ = try flows.complete(count, atOnce: 32)
        let cpu = (try broker.process.cpu - before) / Double(count) * 1e6

        let samples = folder + "/perf.data"
        let recorder = try Child(
            [
                perf, "record", "-q", "-e", "cpu-clock", "-F", "999", "-g", "-p", "\(broker.process.pid)", "-o",
                samples,
            ], log: folder + "/perf.log")
        usleep(500_000)
        _ = try flows.complete(count, atOnce: 32)
        recorder.stop(SIGINT)
        let stacks = folder + "/perf.txt"
        let reader = try Child(
            [perf, "script", "-i", samples, "-F", "comm,ip,sym,dso", "--no-demangle"], log: stacks)
        reader.wait()

        var shares = CPUShares()
        try shares.add(stacksIn: String(decoding: Data(contentsOf: URL(fileURLWithPath: stacks)), as: UTF8.self))
        if let order {
            let program = URL(fileURLWithPath: binary).resolvingSymlinksInPath().path
            try shares.order(of: program).write(toFile: order, atomically: true, encoding: .utf8)
        }
        guard shares.total > 0 else {
            let log = (try? String(contentsOfFile: folder + "/perf.log", encoding: .utf8)) ?? ""
            throw Trouble("perf took no samples: \(log.prefix(300))")
        }
        return [Figure("whole flow, server CPU", cpu, "us")]
            + CPUShares.Part.allCases.map { part in
                Figure("  \(part.rawValue)", shares.of(part) * cpu, "us", baseline: cpu)
            }
    }

    private static var perf: String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { $0 + "/perf" }
            .first { access($0, X_OK) == 0 }
    }
}

/// The samples of a broker by stage.
struct CPUShares {
    enum Part: String, CaseIterable {
        case read = "read: sockets and HTTP in"
        case verify = "verify: callers' tokens"
        case decide = "decide: the domain and its data"
        case seal = "seal: keys, digests, sealing"
        case commit = "commit: store, SQLite, its disk"
        case exchange = "exchange: the POST, libcurl"
        case answer = "answer: routes, JSON, HTTP out"
        case log = "log: lines, metrics, spans"
        case rest = "rest: tasks, memory, threads"
    }

    private var counts: [Part: Int] = [:]
    /// By program or library, by function: the samples that were in it, and those in what it called.
    private var functions: [Substring: [Substring: (own: Int, all: Int)]] = [:]
    private(set) var total = 0

    func of(_ part: Part) -> Double { Double(counts[part] ?? 0) / Double(max(total, 1)) }

    /// Takes what `perf script` wrote: for each sample the thread's name, then its frames, innermost first, then an
    /// empty line.
    mutating func add(stacksIn text: String) throws {
        for sample in text.split(separator: "\n\n") {
            let lines = sample.split(separator: "\n")
            guard let thread = lines.first, lines.count > 1 else { continue }
            total += 1
            counts[Self.part(frames: lines.dropFirst(), thread: thread), default: 0] += 1
            var seen: Set<Substring> = []
            for (depth, line) in lines.dropFirst().enumerated() {
                // An address, the function, and its file in brackets.
                let words = line.split(whereSeparator: \.isWhitespace)
                guard words.count == 3, seen.insert(words[1]).inserted else { continue }
                functions[words[2], default: [:]][words[1], default: (0, 0)].all += 1
                if depth == 0 { functions[words[2], default: [:]][words[1], default: (0, 0)].own += 1 }
            }
        }
    }

    /// The functions of a program, one a line: those that ran most first, then those that called them. Side by side
    /// (lld's `--symbol-ordering-file`), they take fewer pages of the processor's caches. One that is gone from the
    /// program is passed over, so that the list grows old without harm.
    func order(of program: String) -> String {
        let own = functions["(\(program))"] ?? [:]
        let sorted = own.sorted { ($1.value.own, $1.value.all, $0.key) < ($0.value.own, $0.value.all, $1.key) }
        return sorted.map { $0.key + "\n" }.joined()
    }

    static func part(frames: some Sequence<Substring>, thread: Substring) -> Part {
        for frame in frames {
            if let part = part(ofFrame: frame) { return part }
        }
        // Debian's libraries have no frame pointers, so a stack may end within one.
        if thread.contains("cloakroom-store") { return .commit }
        if thread.contains("cloakroom-curl") { return .exchange }
        if thread.contains("cloakroom-log") { return .log }
        return .rest
    }

    /// `nil` for what serves all: Swift's runtime, libc, and parts of ours such as JSON.
    private static func part(ofFrame frame: Substring) -> Part? {
        if frame.contains("libsqlite3") || frame.contains("fdatasync") { return .commit }
        if frame.contains("libcurl") || frame.contains("libnghttp2") { return .exchange }
        // A module's name stands in a symbol behind its length.
        func isOf(_ modules: String...) -> Bool { modules.contains { frame.contains("\($0.utf8.count)\($0)") } }
        func has(_ words: String...) -> Bool { words.contains { frame.contains($0) } }
        if isOf("SQLiteStore", "GroupedWriter", "GRDB", "StoreParts") { return .commit }
        if isOf("CurlTransport", "Transport") { return .exchange }
        if isOf("JOSE") { return .verify }
        if isOf("Secrets") { return has("ignature", "PublicKey") ? .verify : .seal }
        if isOf("Logging", "Metrics", "CoreMetrics", "PrometheusMetrics", "OTLPTracing", "Tracing") { return .log }
        if isOf("Broker") {
            return has("Token", "FormRequest", "ProviderRequest", "FairTransport") ? .exchange : .decide
        }
        if isOf("Catalog") { return .decide }
        if isOf("NIOPosix", "NIOCore", "NIOHTTP1", "NIOHTTPTypesHTTP1") || frame.contains("c_nio_") {
            return has("write", "Write", "flush", "Encod") ? .answer : .read
        }
        if isOf("BrokerServer", "HTTPService", "Hummingbird", "HummingbirdCore", "HTTPTypes") {
            // Runs the tasks of an event loop: what they do has frames of its own.
            if frame.contains("8LoopTurnC") { return nil }
            if has("BearerToken", "TokenCache", "TokenClaims") { return .verify }
            if has("Log", "Metric", "Span") { return .log }
            return has("channelRead", "RequestGuard", "Arrival", "Body") ? .read : .answer
        }
        return nil
    }
}
