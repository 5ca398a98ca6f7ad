import Foundation
import Glibc

extension PrometheusRegistry {
    /// Declares the process metrics that Prometheus' own client libraries export, under the same names. Values that the
    /// system does not tell are left out.
    public func declareProcess() {
        declare(
            Family("process_cpu_seconds_total", .counter, help: "CPU time that the process used, in seconds.")
        ) {
            let ticks = Double(max(sysconf(Int32(_SC_CLK_TCK)), 1))
            return Self.stat { (number($0[11]) + number($0[12])) / ticks }
        }
        declare(
            Family("process_resident_memory_bytes", .gauge, help: "Memory of the process that is in RAM, in bytes.")
        ) {
            let page = Double(max(sysconf(Int32(_SC_PAGESIZE)), 1))
            return Self.stat { number($0[21]) * page }
        }
        declare(Family("process_virtual_memory_bytes", .gauge, help: "Address space of the process, in bytes.")) {
            Self.stat { number($0[20]) }
        }
        declare(Family("process_open_fds", .gauge, help: "Open file descriptors.")) {
            let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
            // One of them reads the folder.
            return open.map { [Sample(Double(max($0.count - 1, 0)))] } ?? []
        }
        declare(Family("process_max_fds", .gauge, help: "The most file descriptors that may be open.")) {
            var limit = rlimit()
            guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return [] }
            return [Sample(Double(limit.rlim_cur))]
        }
        let started = Self.startTime()
        declare(
            Family("process_start_time_seconds", .gauge, help: "When the process started, in seconds since the epoch.")
        ) {
            started.map { [Sample($0)] } ?? []
        }
    }

    /// The fields of `/proc/self/stat` from the third on (proc(5)): the second, the program's name, may hold blanks.
    private static func fields() -> [Substring]? {
        guard let text = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 21 ? fields : nil
    }

    private static func stat(_ value: ([Substring]) -> Double) -> [Sample] {
        fields().map { [Sample(value($0))] } ?? []
    }

    private static func startTime() -> Double? {
        guard let fields = fields(), let stat = try? String(contentsOfFile: "/proc/stat", encoding: .utf8),
            let line = stat.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let boot = Double(line.dropFirst("btime ".count))
        else { return nil }
        return boot + number(fields[19]) / Double(max(sysconf(Int32(_SC_CLK_TCK)), 1))
    }
}

private func number(_ text: Substring) -> Double { Double(text) ?? 0 }
