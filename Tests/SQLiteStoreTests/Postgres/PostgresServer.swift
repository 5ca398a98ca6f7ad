import Broker
import Foundation
import Glibc
import Secrets
import Testing

@testable import PostgresStore

/// A PostgreSQL server of the tests' own, one for each test process: as a user that is not root, in a folder of its own,
/// reached by a socket in it.
final class PostgresServer: Sendable {
    /// Started when it is first needed; it ends with this process, however that ends.
    static let shared = Result { try PostgresServer(settings: []) }

    let folder: String
    /// Its end is the server's: the shell around it waits for the other end of this to close.
    private let lifeline: FileHandle
    private let process: Process

    private static let programs: String = {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let newest = versions.compactMap { Int($0) }.max() ?? 0
        return "\(root)/\(newest)/bin"
    }()

    /// - Parameter settings: lines of `postgresql.conf` besides.
    init(settings: [String]) throws {
        // In memory where there is a place for it: what is tested is not the disk.
        let place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()
        folder = "\(place)/cloakroom-pg-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        if geteuid() == 0, let user = getpwnam("postgres") {
            guard chown(folder, user.pointee.pw_uid, user.pointee.pw_gid) == 0 else { throw Failure(errno: errno) }
        }
        try Self.run([
            "\(Self.programs)/initdb", "--pgdata", "\(folder)/data", "--username", "cloakroom", "--auth", "trust",
            "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions",
        ])
        let lines =
            [
                "listen_addresses = ''", "unix_socket_directories = '\(folder)'", "max_connections = 900",
                "shared_buffers = 64MB", "log_min_messages = warning", "logging_collector = off",
            ] + settings
        let file = "\(folder)/data/postgresql.conf"
        let handle = try #require(FileHandle(forWritingAtPath: file))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data((lines.joined(separator: "\n") + "\n").utf8))
        try handle.close()
        process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        let server = Self.command(["\(Self.programs)/postgres", "-D", "\(folder)/data"])
        process.arguments =
            [
                "-c",
                "log=$1; folder=$2; shift 2; \"$@\" >\"$log\" 2>&1 </dev/null & read -r _; kill -QUIT $!; sleep 1; rm -rf \"$folder\" \"$log\"",
                "sh", "\(folder).log", folder,
            ] + server
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardInput = pipe
        lifeline = pipe.fileHandleForWriting
        // A child of a later test must not keep it open.
        _ = fcntl(lifeline.fileDescriptor, F_SETFD, FD_CLOEXEC)
        try process.run()
        try waitUntilReady()
    }

    private struct Failure: Error { let errno: Int32 }

    private func waitUntilReady() throws {
        for _ in 0..<300 {
            if (try? connection(to: "postgres")) != nil { return }
            usleep(50_000)
        }
        Issue.record("the server does not start: see \(folder).log")
    }

    func settings(_ database: String) throws -> PostgresSettings {
        let host = folder.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return PostgresSettings(try PostgresAddress("postgres://cloakroom@\(host)/\(database)"))
    }

    /// A connection for the tests' own statements.
    func connection(to database: String) throws -> Connection {
        try Connection.open(try settings(database), until: .now + .seconds(5))
    }

    /// As the `postgres` user where this is root: the server refuses to be.
    private static func command(_ arguments: [String]) -> [String] {
        geteuid() == 0
            ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"] + arguments : arguments
    }

    private static func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command(arguments)
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }
}

/// One database of that server, for one test: made when it is first asked for.
///
/// `@unchecked Sendable`: `lock` guards the variables.
final class PostgresDatabase: @unchecked Sendable {
    private let lock = NSLock()
    private var name: String?
    private var stores: [PostgresStore] = []
    private static let making = NSLock()

    deinit {
        let stores = stores
        Task.detached { for store in stores { await store.close() } }
    }

    func settings() throws -> PostgresSettings {
        try lock.withLock {
            let server = try PostgresServer.shared.get()
            if let name { return try server.settings(name) }
            let made = "test_\(UUID().uuidString.replacing("-", with: "").lowercased())"
            // A template must have no connection while it is copied.
            try Self.making.withLock {
                _ = try Self.template.get()
                try server.connection(to: "postgres").run(
                    setup: "CREATE DATABASE \(made) TEMPLATE template_cloakroom", within: .seconds(30))
            }
            name = made
            return try server.settings(made)
        }
    }

    /// The tables, made once.
    private static let template = Result {
        let server = try PostgresServer.shared.get()
        try server.connection(to: "postgres").run(setup: "CREATE DATABASE template_cloakroom", within: .seconds(30))
        let connection = try server.connection(to: "template_cloakroom")
        try Migration.run(on: connection, nil)
        try connection.run(setup: Schema.outstandingIndex)
    }

    func open(bounds: FlowBounds = FlowBounds()) throws -> PostgresStore {
        let store = try PostgresStore(
            try settings(), keyRing: KeyRing(Installation.firstKey), bounds: bounds)
        lock.withLock { stores.append(store) }
        return store
    }

    /// The first column of the first row, as text.
    func value(_ sql: String) throws -> String {
        let server = try PostgresServer.shared.get()
        _ = try settings()
        let name = lock.withLock { self.name ?? "" }
        return try server.connection(to: name).run(query: sql).first?.text(0) ?? ""
    }
}
