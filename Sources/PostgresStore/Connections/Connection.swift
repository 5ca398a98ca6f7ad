import CPostgres
import Foundation
import Glibc

/// One connection to PostgreSQL, in pipeline mode: statements go out together, and their results come back in order.
///
/// One thread uses it, and waits for the server in `poll` alone, never beyond `deadline`: a frozen server would be waited
/// for without end, whatever timeouts libpq was given. Not `Sendable`.
final class Connection {
    private let handle: OpaquePointer
    private let warnings: UnsafeMutablePointer<Int32>
    /// The results that have not been read yet.
    private var pending = 0
    /// The rounds whose end was sent and has not been read yet.
    private var rounds = 0
    /// The moment after which nothing is waited for any more.
    var deadline: ContinuousClock.Instant = .now
    /// The time that a single statement may take.
    var patience = Connection.patience

    /// The time within which the server answers anything, statements' own timeouts included.
    static let patience: Duration = .seconds(5)

    /// Takes the connection over, once it is made.
    private init(_ handle: OpaquePointer, warnings: UnsafeMutablePointer<Int32>) {
        self.handle = handle
        self.warnings = warnings
    }

    deinit {
        // Without a cancel: a COMMIT that waits for its standby must go on waiting.
        PQfinish(handle)
        warnings.deallocate()
    }

    // MARK: connecting

    /// Connects to the first host that takes writes, beginning with the one that answered last. Each has its share of the
    /// time: one that is gone without a word must not take that of those behind it.
    static func open(_ settings: PostgresSettings, until end: ContinuousClock.Instant) throws(PostgresFailure)
        -> Connection
    {
        var failure = PostgresFailure.unreachable(nil, "no server was named")
        let hosts = settings.address.hosts
        let first = settings.lastHost.index
        let share = min((end - ContinuousClock.now) / hosts.count, .seconds(4))
        for turn in hosts.indices {
            let index = (first + turn) % hosts.count
            do throws(PostgresFailure) {
                let connection = try open(settings, hosts[index], until: min(end, .now + share))
                settings.lastHost.note(index)
                return connection
            } catch {
                // With a SQLSTATE it is the server's own word, such as a standby's.
                if error.state != nil { settings.lastHost.note(index) }
                // The last word is the first host's that is there at all.
                if failure.state == nil { failure = error }
            }
            guard ContinuousClock.now < end else { break }
        }
        throw failure
    }

    private static func open(
        _ settings: PostgresSettings, _ host: PostgresAddress.Host, until end: ContinuousClock.Instant
    ) throws(PostgresFailure) -> Connection {
        let parameters = try settings.parameters(for: host)
        let handle: OpaquePointer? = parameters.withCStrings { keywords, values in
            PQconnectStartParams(keywords, values, 0)
        }
        guard let handle else { throw .unreachable(nil, "libpq has no memory left") }
        let warnings = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
        warnings.initialize(to: 0)
        let connection = Connection(handle, warnings: warnings)
        connection.deadline = end
        // The SQLSTATE alone: the server's words may quote anything.
        PQsetErrorVerbosity(handle, PQERRORS_SQLSTATE)
        PQsetErrorContextVisibility(handle, PQSHOW_CONTEXT_NEVER)
        cpostgres_count_warnings(handle, warnings)
        try connection.finishConnecting(to: host)
        PQsetnonblocking(handle, 1)
        return connection
    }

    private func finishConnecting(to host: PostgresAddress.Host) throws(PostgresFailure) {
        guard PQstatus(handle) != CONNECTION_BAD else { throw unreachable(host) }
        // By libpq's manual: as if the last poll had said "writing".
        var wants = Int16(POLLOUT)
        while true {
            guard try wait(for: wants) else {
                throw .unreachable(nil, "\(host.name) does not answer")
            }
            switch PQconnectPoll(handle) {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_READING: wants = Int16(POLLIN)
            case PGRES_POLLING_WRITING: wants = Int16(POLLOUT)
            default: throw unreachable(host)
            }
        }
    }

    /// What libpq says of connecting names hosts and files, and of the server's own words the SQLSTATE.
    private func unreachable(_ host: PostgresAddress.Host) -> PostgresFailure {
        if let words = openPasswordFile { return .unreachable(nil, words) }
        let text = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
        let line = text.split(separator: "\n").first.map(String.init) ?? "no connection was made"
        if line.contains("session is read-only") || line.contains("server is in hot standby mode") {
            return .unreachable(.readOnly, line)
        }
        let last = line.suffix(5)
        if line.contains("FATAL:  ") || line.contains("ERROR:  "), last.utf8.count == 5,
            last.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) })
        {
            return .unreachable(SQLState(String(last)), line)
        }
        return .unreachable(nil, line)
    }

    /// The words where the server wants a password and libpq's file with it can be read by others: libpq passes over such
    /// a file, and says so to the standard error alone. What is no plain file it does not take at all.
    private var openPasswordFile: String? {
        guard PQconnectionNeedsPassword(handle) == 1, let options = PQconninfo(handle) else { return nil }
        defer { PQconninfoFree(options) }
        var option = options
        while let keyword = option.pointee.keyword {
            defer { option += 1 }
            guard String(cString: keyword) == "passfile", let value = option.pointee.val else { continue }
            var found = stat()
            guard stat(value, &found) == 0, found.st_mode & S_IFMT == S_IFREG, found.st_mode & 0o077 != 0 else {
                return nil
            }
            let mode = String(found.st_mode & 0o777, radix: 8)
            let file = "the password file \"\(String(cString: value))\" has the mode \(mode)"
            return "\(file): others can read it, so it is not taken; chmod 600 it"
        }
        return nil
    }

    /// Runs statements of the program's own, before the pipeline begins.
    func run(setup sql: String, within patience: Duration = Connection.patience) throws(PostgresFailure) {
        _ = try run(text: sql, within: patience)
    }

    /// The rows of one statement of the program's own, as text, before the pipeline begins.
    func run(query sql: String, within patience: Duration = Connection.patience) throws(PostgresFailure) -> QueryResult
    {
        guard let result = try run(text: sql, within: patience) else { throw .malformed }
        return result
    }

    private func run(text sql: String, within patience: Duration) throws(PostgresFailure) -> QueryResult? {
        deadline = .now + patience
        guard PQsendQuery(handle, sql) == 1 else { throw lost() }
        var failure: PostgresFailure?
        var last: QueryResult?
        while let result = try result() {
            if let state = Self.failure(of: result) { failure = failure ?? .refused(state) }
            last = QueryResult(result)
        }
        if let failure { throw failure }
        return last
    }

    /// Begins the pipeline, and has the statements prepared.
    func prepare(_ statements: [Statement]) throws(PostgresFailure) {
        guard PQenterPipelineMode(handle) == 1 else { throw lost() }
        deadline = .now + Self.patience
        for statement in statements {
            guard PQsendPrepare(handle, statement.name, statement.sql, 0, nil) == 1 else { throw lost() }
            pending += 1
        }
        try synchronize()
    }

    /// The server's setting that it reports without being asked, such as `server_encoding`.
    func reported(_ name: String) -> String? { PQparameterStatus(handle, name).map { String(cString: $0) } }

    /// True where what passes is encrypted.
    var isEncrypted: Bool { PQsslInUse(handle) != 0 }

    /// Such as 150018 for 15.18.
    var serverVersion: Int { Int(PQserverVersion(handle)) }

    // MARK: statements

    /// Adds a prepared statement to the pipeline.
    func send(_ statement: Statement, _ parameters: [Parameter] = []) throws(PostgresFailure) {
        var bytes: [UInt8] = []
        var ranges: [Range<Int>?] = []
        ranges.reserveCapacity(parameters.count)
        for parameter in parameters {
            let start = bytes.count
            ranges.append(parameter.encode(to: &bytes) ? start..<bytes.count : nil)
        }
        let lengths = ranges.map { Int32($0?.count ?? 0) }
        let formats = [Int32](repeating: 1, count: parameters.count)
        // An address even where all values are empty: nil would be NULL.
        bytes.append(0)
        let sent = bytes.withUnsafeBytes { buffer in
            let values = ranges.map { range in
                range.flatMap { buffer.baseAddress?.advanced(by: $0.lowerBound).assumingMemoryBound(to: CChar.self) }
            }
            return PQsendQueryPrepared(
                handle, statement.name, Int32(parameters.count), values, lengths, formats, 1)
        }
        guard sent == 1 else { throw lost() }
        pending += 1
    }

    /// Adds a statement that has no values to the pipeline.
    func send(_ command: Command) throws(PostgresFailure) {
        guard PQsendQueryParams(handle, command.rawValue, 0, nil, nil, nil, nil, 1) == 1 else { throw lost() }
        pending += 1
    }

    /// The commands of a transaction.
    enum Command: String {
        case begin = "BEGIN"
        case commit = "COMMIT"
        case rollback = "ROLLBACK"
    }

    /// Has the server answer what was sent so far, in the middle of a transaction.
    func flush() throws(PostgresFailure) {
        guard PQsendFlushRequest(handle) == 1 else { throw lost() }
        _ = try push()
    }

    /// The next result, in the order of the statements. After `refused` only `recover` helps.
    func next() throws(PostgresFailure) -> QueryResult {
        guard pending > 0, let result = try result() else { throw lost() }
        pending -= 1
        // Looked at before `answer` owns it: that may be released after its last use.
        let failure = Self.failure(of: result)
        let isAborted = PQresultStatus(result) == PGRES_PIPELINE_ABORTED
        let answer = QueryResult(result)
        // Each result is followed by an empty one.
        while let more = try self.result() { PQclear(more) }
        guard let failure else { return answer }
        // Of a statement behind one that failed: that one was thrown before.
        throw isAborted ? .malformed : .refused(failure)
    }

    /// Ends the pipeline's round. Sent with what came before it.
    func sync() throws(PostgresFailure) {
        guard PQpipelineSync(handle) == 1 else { throw lost() }
        rounds += 1
        _ = try push()
    }

    /// Reads the end of the round.
    func endSync() throws(PostgresFailure) {
        while true {
            guard let result = try result() else { throw lost() }
            defer { PQclear(result) }
            guard PQresultStatus(result) == PGRES_PIPELINE_SYNC else { continue }
            rounds -= 1
            return
        }
    }

    /// Reads the results of all that was sent, and the end of the round.
    private func synchronize() throws(PostgresFailure) {
        try sync()
        var failure: PostgresFailure?
        while pending > 0 {
            do throws(PostgresFailure) {
                _ = try next()
            } catch {
                if error.endsConnection { throw error }
                // What follows is told as aborted.
                if case .refused = error { failure = failure ?? error }
            }
        }
        try endSync()
        if let failure { throw failure }
    }

    /// One statement in a transaction of its own.
    func query(_ statement: Statement, _ parameters: [Parameter] = []) throws(PostgresFailure) -> QueryResult {
        deadline = .now + patience
        try send(statement, parameters)
        try sync()
        do throws(PostgresFailure) {
            let answer = try next()
            try endSync()
            return answer
        } catch {
            if !error.endsConnection { try skip() }
            throw error
        }
    }

    /// After a failure within a transaction: takes it back, so that the connection is as before it.
    func recover() throws(PostgresFailure) {
        deadline = .now + Self.patience
        if rounds == 0 { try sync() }
        while rounds > 0 { try skip() }
        try send(.rollback)
        try sync()
        try skip()
    }

    /// Drops results up to the end of the round.
    private func skip() throws(PostgresFailure) {
        var empty = 0
        while true {
            guard let result = try result() else {
                empty += 1
                // Between two results there is one that is empty.
                guard empty < 3 else { throw lost() }
                continue
            }
            empty = 0
            defer { PQclear(result) }
            if PQresultStatus(result) == PGRES_PIPELINE_SYNC {
                pending = 0
                rounds -= 1
                return
            }
        }
    }

    /// The warnings that came since this was asked before.
    func takeWarnings() -> Int {
        defer { warnings.pointee = 0 }
        return Int(warnings.pointee)
    }

    // MARK: the socket

    private func result() throws(PostgresFailure) -> OpaquePointer? {
        while true {
            let isUnsent = try push()
            if PQisBusy(handle) == 0 { return PQgetResult(handle) }
            guard try wait(for: Int16(POLLIN) | (isUnsent ? Int16(POLLOUT) : 0)) else {
                throw .lost("PostgreSQL does not answer")
            }
            guard PQconsumeInput(handle) == 1 else { throw lost() }
        }
    }

    /// Sends what waits, as far as the socket takes it. `true`: some is left.
    private func push() throws(PostgresFailure) -> Bool {
        switch PQflush(handle) {
        case 0: return false
        case 1: return true
        default: throw lost()
        }
    }

    /// `false` at the deadline.
    private func wait(for events: Int16) throws(PostgresFailure) -> Bool {
        while true {
            let (seconds, attoseconds) = (deadline - .now).components
            let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
            guard milliseconds >= 0, deadline > .now else { return false }
            var descriptor = pollfd(fd: PQsocket(handle), events: events, revents: 0)
            guard descriptor.fd >= 0 else { throw lost() }
            let count = poll(&descriptor, 1, Int32(min(milliseconds + 1, 60_000)))
            if count > 0 { return true }
            if count < 0, errno != EINTR { throw lost() }
        }
    }

    private func lost() -> PostgresFailure {
        // What the server said last, such as 57P01, if it said anything.
        let text = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
        for line in text.split(separator: "\n") where line.hasPrefix("FATAL:  ") {
            return .lost(SQLState(String(line.dropFirst("FATAL:  ".count))).words)
        }
        return .lost("the connection to PostgreSQL ended")
    }

    private static func failure(of result: OpaquePointer) -> SQLState? {
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY, PGRES_PIPELINE_SYNC: nil
        default: SQLState(PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) } ?? "XX000")
        }
    }
}
