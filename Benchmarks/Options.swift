import Foundation

/// What to measure, and how.
struct Options {
    enum Benchmark: String, CaseIterable {
        case start
        case authorize
        case flow
        case redemption
        case outstanding
    }

    static let usage = """
        usage: bench [--cloakroom PATH] [--quick | --full] [--json FILE] [--folder PATH] [--strict] [BENCHMARK …]

          BENCHMARK    \(Benchmark.allCases.map(\.rawValue).joined(separator: ", ")); all unless named
          --cloakroom  the program to measure; by default the one beside this
          --quick      a look, in a few seconds; figures vary more
          --full       outstanding keys from real flows alone (takes minutes)
          --json       writes the figures to a file too
          --folder     where databases go, so which disk is measured; by default TMPDIR
          --strict     exit status 1 where a target is missed
        """

    var binary: String
    var extent = Stage.Extent.usual
    var json: String?
    var parent: String
    var isStrict = false
    var benchmarks = Benchmark.allCases

    /// Throws with words for whoever typed them.
    init(_ arguments: [String]) throws {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        binary = URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("cloakroom").path
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
            case "--quick": extent = .quick
            case "--full": extent = .full
            case "--json": json = try value()
            case "--folder": parent = try value()
            case "--strict": isStrict = true
            default:
                guard let benchmark = Benchmark(rawValue: argument) else {
                    throw Trouble("\"\(argument)\" is no option and no benchmark\n\(Self.usage)")
                }
                named.append(benchmark)
            }
        }
        if !named.isEmpty { benchmarks = named }
        guard access(binary, X_OK) == 0 else {
            throw Trouble("\"\(binary)\" is no program; build it (make release), or name it with --cloakroom")
        }
    }

    /// Seconds after which a run is given up.
    var limit: UInt32 {
        switch extent {
        case .quick: 180
        case .usual: 1200
        case .full: 3600
        }
    }
}
