import Broker
import Secrets
import StoreParts

/// A transaction of the writer: it begins behind its chain's lock and the line of revocations, and ends with its events
/// and mark.
///
/// Statements are sent as they come and read when they are needed: all that can go together is one round trip. Not
/// `Sendable`: it goes with its connection.
final class Transaction {
    let connection: Connection
    let outstanding: OutstandingFlows
    private let chain: Chain
    private var isOpen = false
    /// Statements that were sent and whose results are read with the commit.
    private var late: [(QueryResult) throws -> Void] = []

    /// The way in which a transaction stands to revocations.
    enum Line {
        /// Among others, none of which a revocation comes between.
        case shared
        /// Alone: a revocation.
        case alone
    }

    init(on connection: Connection, _ chain: Chain, _ outstanding: OutstandingFlows, line: Line) throws(PostgresFailure)
    {
        self.connection = connection
        self.chain = chain
        self.outstanding = outstanding
        connection.deadline = .now + Connection.patience
        _ = connection.takeWarnings()
        try connection.send(.begin)
        try connection.send(.fence, [.int(chain.number)])
        try connection.send(.newest, [.int(chain.number)])
        try connection.send(line == .shared ? .line : .revocationLine)
    }

    /// The audit trail's.
    var key: SecretBytes { chain.key }

    /// Tells whether the server makes each commit wait for a standby.
    var isSynchronous: Bool { chain.isSynchronous }

    /// Sends a statement whose result `next` gives.
    func send(_ statement: Statement, _ parameters: [Parameter]) throws(PostgresFailure) {
        try connection.send(statement, parameters)
    }

    /// Has what was sent answered, and reads how the transaction began.
    func open() throws {
        try connection.flush()
        guard !isOpen else { return }
        isOpen = true
        _ = try connection.next()
        let fence = try connection.next()
        let newest = try connection.next()
        _ = try connection.next()
        try chain.begin(fence.first, newest: newest.first)
    }

    func next() throws(PostgresFailure) -> QueryResult { try connection.next() }

    /// Runs a statement.
    @discardableResult
    func query(_ statement: Statement, _ parameters: [Parameter] = []) throws -> QueryResult {
        try send(statement, parameters)
        try open()
        return try next()
    }

    /// Sends a statement whose result is read with the commit.
    func later(
        _ statement: Statement, _ parameters: [Parameter], read: @escaping (QueryResult) throws -> Void = { _ in }
    ) throws {
        try send(statement, parameters)
        late.append(read)
    }

    /// Adds an event to the audit trail.
    func record(_ event: Event) { chain.append(event) }

    /// Reads how the transaction began, unless that was read. The mark that its commit leaves.
    func prepareCommit() throws -> Chain.Mark {
        if !isOpen { try open() }
        return chain.mark
    }

    /// Begins the end: from here on a lost connection leaves it open whether the commit is there.
    func sendCommit() throws {
        let count = try chain.finish(on: connection)
        late += Array(repeating: { _ in }, count: count)
        try connection.send(.commit)
        try connection.sync()
    }

    /// Waits for the commit. `false`: it is here, but not where it should be besides, by a warning of the server's.
    func finishCommit() throws -> Bool {
        connection.deadline = .now + Connection.patience
        for read in late { try read(try connection.next()) }
        let tag = try connection.next().tag
        try connection.endSync()
        // A transaction that failed answers a COMMIT with this.
        guard tag == "COMMIT" else { throw PostgresFailure.refused(SQLState("25P02")) }
        chain.committed()
        return connection.takeWarnings() == 0
    }
}
