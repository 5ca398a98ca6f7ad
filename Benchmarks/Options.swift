import Foundation

/// The command line: the benchmarks to run, and how.
struct Options {
    enum Benchmark: String, CaseIterable {
        case start
        case authorize
        case flow
        case stages
        case redemption
        case outstanding
        case postgres
        case brokers
        case outstandingOnPostgres = "postgres-outstanding"
        case churn = "postgres-churn"
        case ingestion
        case largeFile = "large-file"
        case polling
        case soak

        /// Measured unless others are named: all but the longest, and those on PostgreSQL where there is one.
        static var usual: [Benchmark] {
            allCases.filter { $0 != .soak && (!$0.isOnPostgres || PostgresServer.isInstalled) }
        }

        /// It starts a PostgreSQL of its own.
        var isOnPostgres: Bool {
            switch self {
            case .postgres, .brokers, .outstandingOnPostgres, .churn: true
            case .start, .authorize, .flow, .stages, .redemption, .outstanding: false
            case .ingestion, .largeFile, .polling, .soak: false
            }
        }

        /// It measures the asset service, and needs no broker.
        var isOfAssets: Bool {
            switch self {
            case .ingestion, .largeFile, .polling: true
            case .start, .authorize, .flow, .stages, .redemption, .outstanding, .soak: false
            case .postgres, .brokers, .outstandingOnPostgres, .churn: false
            }
        }
    }

    static let usage = """
        usage: bench [--cloakroom PATH] [--cloakroom-assets PATH] [--quick | --full] [--json FILE] [--folder PATH]
                     [--strict] [--minutes N] [--order FILE] [BENCHMARK …]

          BENCHMARK    \(Benchmark.allCases.map(\.rawValue).joined(separator: ", ")); all but soak unless
                       named; those on PostgreSQL where it is installed
          --cloakroom, --cloakroom-assets
                       the programs to measure; by default those beside this
          --quick      a look, in a few seconds; figures vary more
          --full       outstanding keys from real flows alone (takes minutes)
          --json       writes the figures to a file too
          --folder     where databases go, so which disk is measured; by default TMPDIR
          --strict     exit status 1 where a target is missed
          --minutes    how long soak takes; 10 unless given
          --order      has stages write the broker's functions for the linker, in place of
                       Benchmarks/functions.order
        """

    var binary: String
    var assetBinary: String
    var extent = Stage.Extent.usual
    var json: String?
    var parent: String
    var isStrict = false
    var minutes = 10
    var order: String?
    var benchmarks = Benchmark.usual

    /// Throws with words for whoever typed them.
    init(_ arguments: [String]) throws {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folder = URL(fileURLWithPath: own).deletingLastPathComponent()
        binary = folder.appendingPathComponent("cloakroom").path
        assetBinary = folder.appendingPathComponent("cloakroom-assets").path
        parent = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        var named: [Benchmark] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            func value() throws -> String {
                guard let value = rest.popFirst() else { throw Trouble("\(argument) wants a value\n\(Self.usage)") }
                return value
            }
            switch argument {
            case "--cloakroom": binary = try value()
            case "--cloakroom-assets": assetBinary = try value()
            case "--quick": extent = .quick
            case "--full": extent = .full
            case "--json": json = try value()
            case "--folder": parent = try value()
            case "--strict": isStrict = true
            case "--order": order = try value()
            case "--minutes":
                guard let number = Int(try value()), (1...1440).contains(number) else {
                    throw Trouble("--minutes wants a whole number from 1 to 1440\n\(Self.usage)")
                }
                minutes = number
            default:
                guard let benchmark = Benchmark(rawValue: argument) else {
                    throw Trouble("\"\(argument)\" is no option and no benchmark\n\(Self.usage)")
                }
                named.append(benchmark)
            }
        }
        if !named.isEmpty { benchmarks = named }
        if benchmarks.contains(where: { !$0.isOfAssets }) { try Self.check(binary, option: "--cloakroom") }
        if benchmarks.contains(where: \.isOfAssets) { try Self.check(assetBinary, option: "--cloakroom-assets") }
    }

    private static func check(_ binary: String, option: String) throws {
        guard access(binary, X_OK) == 0 else {
            throw Trouble("\"\(binary)\" is no program; build it (make release), or name it with \(option)")
        }
    }

    /// Seconds after which a run is given up.
    var limit: UInt32 {
        let limit: UInt32 =
            switch extent {
            case .quick: 180
            case .usual: 2400
            case .full: 3600
            }
        return limit + (benchmarks.contains(.soak) ? UInt32(minutes) * 120 : 0)
    }
}
