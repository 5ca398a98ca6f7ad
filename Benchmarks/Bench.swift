import Foundation

/// Measures `cloakroom serve` and `cloakroom-assets serve` from outside, over real sockets, beside what their parts
/// reach alone in the same run.
@main
struct Bench {
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            switch arguments.first {
            case "baseline-server", "token-endpoint", "slow-token-endpoint", "drive": try await serve(arguments)
            case "--help", "-h": print(Options.usage)
            default: exit(try await measure(Options(arguments)))
            }
        } catch {
            Leftovers.remove()
            Terminal.write("error: \(error)")
            exit(2)
        }
    }

    /// This program's own servers, which it starts as processes of their own.
    private static func serve(_ arguments: [String]) async throws {
        guard arguments.count == 3, arguments[1] == "--port", let port = UInt16(arguments[2]) else {
            throw Trouble("\(arguments[0]) wants --port N")
        }
        Child.endWithParent()
        switch arguments[0] {
        case "token-endpoint": try TokenEndpoint.serve(at: port)
        case "slow-token-endpoint": try TokenEndpoint.serve(at: port, after: 0.05)
        case "drive": try Drive.serve(at: port)
        default: try await BaselineServer.serve(at: port)
        }
    }

    /// The exit status.
    private static func measure(_ options: Options) async throws -> Int32 {
        try Leftovers.watch(limit: options.limit)
        let folder = try Leftovers.makeFolder(in: options.parent)
        defer { Leftovers.remove() }
        print(Surroundings.line(folder: folder))
        let stage = try await Stage(
            binary: options.binary, assetBinary: options.assetBinary, folder: folder, extent: options.extent)
        var figures: [Figure] = []
        for benchmark in options.benchmarks {
            Terminal.write("measuring \(benchmark.rawValue) …")
            let measured =
                switch benchmark {
                case .start: try stage.start()
                case .authorize: try await stage.authorize()
                case .flow: try await stage.wholeFlow()
                case .stages: try await stage.cpuByStage(order: options.order)
                case .redemption: try await stage.redemption()
                case .outstanding: try await stage.outstanding()
                case .postgres: try await stage.postgres()
                case .brokers: try await stage.brokers()
                case .outstandingOnPostgres: try await stage.outstandingOnPostgres()
                case .churn: try await stage.churn()
                case .ingestion: try await stage.ingestion()
                case .largeFile: try stage.largeFile()
                case .polling: try stage.polling()
                case .soak: try await stage.soak(minutes: options.minutes)
                }
            figures += measured
        }
        for line in Table.lines(figures) { print(line) }
        if let file = options.json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try encoder.encode(figures).write(to: URL(fileURLWithPath: file))
        }
        return options.isStrict && figures.contains { $0.verdict == .miss } ? 1 : 0
    }
}

/// The machine and its load, by which a reader judges the figures.
enum Surroundings {
    static func line(folder: String) -> String {
        var load = [0.0]
        getloadavg(&load, 1)
        var line = "\(ProcessInfo.processInfo.activeProcessorCount) cores, load \(Table.text(load[0])) at the start"
        // In memory, durability costs nothing.
        if kind(of: folder) == "tmpfs" { line += "; the folder is in memory, not on a disk" }
        return line
    }

    /// The kind of file system that a folder is on.
    private static func kind(of folder: String) -> Substring? {
        let mounts = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
        var (kind, longest) = (nil as Substring?, 0)
        for mount in mounts.split(separator: "\n").map({ $0.split(separator: " ") }) where mount.count > 2 {
            let point = mount[1] == "/" ? "/" : mount[1] + "/"
            guard (folder + "/").hasPrefix(point), point.count >= longest else { continue }
            (kind, longest) = (mount[2], point.count)
        }
        return kind
    }
}
