/// A reason for which a statement or a connection failed. Its words are ours or, of connecting, libpq's: never the
/// server's, which may quote values.
enum PostgresFailure: Error, Equatable {
    /// The server refused a statement; the connection is good.
    case refused(SQLState)
    /// The connection ended, or did not answer in time.
    case lost(String)
    /// None was made.
    case unreachable(SQLState?, String)
    /// The password could not be read, so none was tried.
    case passwordFile(path: String)
    /// A result was not of the form that the statement gives.
    case malformed
    /// The database waits for the end of a copy into it.
    case unfinishedCopy
    /// The audit trail was begun anew since this process opened its key.
    case anotherTrail

    var state: SQLState? {
        switch self {
        case .refused(let state): state
        case .unreachable(let state, _): state
        case .lost, .passwordFile, .malformed, .unfinishedCopy, .anotherTrail: nil
        }
    }

    /// For operators.
    var words: String {
        switch self {
        case .refused(let state): state.words
        case .lost(let words): words
        case .unreachable(let state?, _): state.words
        case .unreachable(nil, let words): words
        case .passwordFile(let path): "the password file \(path) cannot be read"
        case .malformed: "a row is not of the form that this program writes"
        case .unfinishedCopy: "a copy into the database is not finished"
        case .anotherTrail: "the audit trail was begun anew while this broker was away: start it again"
        }
    }

    /// Another try may do: the server broke a deadlock, or a lock was held for too long.
    var isTransient: Bool { state?.isTransient ?? false }

    /// No operation's own doing: each would meet it again.
    var isOfTheServer: Bool {
        switch self {
        case .refused(let state): state.isOfTheServer
        case .lost, .unreachable, .passwordFile, .anotherTrail: true
        case .malformed, .unfinishedCopy: false
        }
    }

    /// The connection is of no use any more, though the server answers on it.
    var endsConnection: Bool {
        switch self {
        case .lost, .unreachable, .passwordFile, .anotherTrail: true
        case .refused(let state): state.endsConnection
        case .malformed, .unfinishedCopy: false
        }
    }
}

/// The five characters by which PostgreSQL names a condition (PostgreSQL's Appendix A).
struct SQLState: Hashable, Sendable, CustomStringConvertible {
    let description: String

    init(_ text: String) { description = text }

    static let deadlock = SQLState("40P01")
    static let serializationFailure = SQLState("40001")
    static let lockNotAvailable = SQLState("55P03")
    static let readOnly = SQLState("25006")
    static let cannotConnectNow = SQLState("57P03")
    static let uniqueViolation = SQLState("23505")
    static let missingTable = SQLState("42P01")
    static let noPrivilege = SQLState("42501")
    static let noSchema = SQLState("3F000")
    static let undefinedObject = SQLState("42704")

    var isTransient: Bool { [.deadlock, .serializationFailure, .lockNotAvailable].contains(self) }

    /// Class 53: resources. 57: an operator's doing. 58: the system's. 25006: a standby. F0 and XX: the server's files.
    var isOfTheServer: Bool {
        self == .readOnly || self == .noPrivilege
            || ["53", "57", "58", "F0", "XX"].contains { description.hasPrefix($0) }
    }

    /// A server that became a standby, or stops, is not the one to write to. 57014 is a statement's timeout alone.
    var endsConnection: Bool {
        self == .readOnly || description.hasPrefix("57P") || description.hasPrefix("08") || description == "25P03"
    }

    var words: String { "\(Self.known[description] ?? "PostgreSQL refused a statement") (SQLSTATE \(description))" }

    private static let known: [String: String] = [
        "08P01": "something between broker and server, such as PgBouncer, does not speak PostgreSQL's whole protocol",
        "25006": "the server takes no writes: it is a standby, or default_transaction_read_only is on",
        "28000": "the server refuses the user: see pg_hba.conf",
        "28P01": "the server refuses the password, or has no such role",
        "3D000": "the server has no database of that name",
        "40001": "transactions stood in each other's way",
        "40P01": "the server broke a deadlock",
        "42501": "the role lacks a privilege that cloakroom needs: see Docs/Deploy.md",
        "3F000": "the role may use no schema of the database: see Docs/Deploy.md",
        "42P01": "a table of cloakroom is missing: the schema has not been made",
        "53100": "the server's disk is full",
        "53200": "the server has no memory left",
        "53300": "the server, or the role by its limit, has no connection left",
        "55P03": "a lock was held for too long",
        "57014": "a statement took too long",
        "57P01": "the server was stopped by its administrator",
        "57P02": "the server crashed",
        "57P03": "the server takes no connections yet: it starts or recovers",
        "58030": "the server cannot read or write its files",
    ]
}
