import Foundation

/// A PostgreSQL server of this program's own, from Debian's package, at a socket. Its settings are those that it comes
/// with, unless a benchmark says otherwise.
final class PostgresServer {
    private static let user = "owner"

    let folder: String
    private let programs: String
    private let process: Child
    private var databases = 0

    /// Tells whether there is one to start.
    static var isInstalled: Bool { newestPrograms != nil }

    private static var newestPrograms: String? {
        let parent = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        return versions.compactMap { Int($0) }.sorted(by: >).map { "\(parent)/\($0)/bin" }
            .first { access($0 + "/postgres", X_OK) == 0 }
    }

    init(in parent: String, settings: [String: String] = [:]) throws {
        guard let programs = Self.newestPrograms else {
            throw Trouble("PostgreSQL is not installed: apt-get install postgresql")
        }
        self.programs = programs
        folder = try Self.makeFolder(in: parent)
        let data = folder + "/data"
        try Command.run(
            Self.asUser + [
                programs + "/initdb", "-D", data, "-U", Self.user, "--auth", "trust", "-E", "UTF8", "--locale",
                "C.UTF-8", "--no-sync",
            ])
        let all = ["listen_addresses": "", "unix_socket_directories": folder].merging(settings) { $1 }
        process = try Child(
            Self.asUser + [programs + "/postgres", "-D", data] + all.flatMap { ["-c", "\($0.key)=\($0.value)"] },
            log: folder + "/log")
        let began = Clock.seconds()
        while (try? query("SELECT 1")) != "1" {
            guard process.isRunning, Clock.seconds() - began < 30 else {
                throw Trouble("PostgreSQL does not start; its log is \(folder)/log")
            }
            usleep(50_000)
        }
    }

    // A fast stop: it waits for no client.
    deinit { process.stop(SIGINT) }

    /// PostgreSQL refuses to run as root. Its folder is another user's then, and the one above lets it through.
    private static func makeFolder(in parent: String) throws -> String {
        let folder = parent + "/pg-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        guard geteuid() == 0 else { return folder }
        guard let entry = getpwnam("postgres"), chown(folder, entry.pointee.pw_uid, entry.pointee.pw_gid) == 0,
            chmod(parent, 0o711) == 0
        else { throw Trouble("no user postgres to run PostgreSQL as") }
        return folder
    }

    private static var asUser: [String] {
        geteuid() == 0
            ? ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"] : []
    }

    /// Makes an empty database, and gives its name.
    func database() throws -> String {
        databases += 1
        let name = "bench_\(databases)"
        try query("CREATE DATABASE \(name)")
        return name
    }

    /// The address for `storage.url`.
    func url(_ database: String) -> String {
        "postgres://\(Self.user)@\(folder.replacingOccurrences(of: "/", with: "%2F"))/\(database)"
    }

    /// Runs one statement and gives its answer as text.
    @discardableResult
    func query(_ sql: String, in database: String = "postgres") throws -> String {
        try Command.run([
            programs + "/psql", "-h", folder, "-U", Self.user, "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, database,
        ])
    }

    func number(_ sql: String, in database: String = "postgres") throws -> Double {
        guard let number = Double(try query(sql, in: database)) else { throw Trouble("no number: \(sql)") }
        return number
    }

    /// User and system time of all its processes in seconds, those that have ended included.
    var cpu: Double {
        get throws {
            let own = try process.times
            let others = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }
                .compactMap { Child.Times(of: $0) }.filter { $0.parent == process.pid }
            return own.own + own.ofEnded + others.map(\.own).reduce(0, +)
        }
    }
}

/// A program that is run to its end.
enum Command {
    /// Its standard output without the end of the last line. Throws with what it complained of where it fails.
    @discardableResult
    static func run(_ arguments: [String]) throws -> String {
        let (process, output, complaints) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: arguments[0])
        process.arguments = Array(arguments.dropFirst())
        // Where every user may be.
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = complaints
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let said = complaints.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Trouble("\(arguments[0]) failed: \(String(decoding: said.prefix(500), as: UTF8.self))")
        }
        return String(decoding: text, as: UTF8.self).trimmingCharacters(in: .newlines)
    }
}
