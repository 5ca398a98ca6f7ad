import Broker
import Catalog
import Formats
import Foundation
import GRDB

/// An event as a row of the trail, and back. Reads whatever a row holds: the file may have been altered.
struct AuditRow {
    enum Column: Int32, Columns {
        case sequence, time, type
        case tenant, sourceType, flow, actor, tokenID, remoteAddress, code, reason, requestID
        case digest

        /// Those of `parts`.
        static let parts = Array(allCases.drop { $0 != .tenant }.prefix { $0 != .digest })

        /// The column's place among `parts`.
        var part: Int { Int(rawValue - Self.tenant.rawValue) }
    }

    /// The types that each flow or refresh has.
    static let frequent: [Event.Kind] = [.flowStarted, .flowSucceeded, .credentialKeyRedeemed, .credentialsRefreshed]
    /// The others: an index tells where they are. It has this condition in it: another one here needs a migration with
    /// another index.
    static let isSeldom = "type NOT IN (\(frequent.map { "'\($0.rawValue)'" }.joined(separator: ", ")))"

    /// The columns as far as a database has them: older ones are read as they are.
    static func columns(in db: Database) throws -> String {
        let present = try db.columns(in: "audit_events").map(\.name)
        let requestID = Column.requestID.name
        return present.contains(requestID) ? Column.list : Column.list.replacing(requestID, with: "NULL")
    }

    /// As the trail keeps it, see `AuditTrail.append`.
    var time: Int64
    let type: String
    /// In the order of `Column.parts`.
    var parts: [[UInt8]?]

    init(_ event: Event) {
        time = event.time.milliseconds
        type = event.kind.rawValue
        let requester = event.requester
        parts = [
            event.tenant.map { Array($0.description.utf8) }, event.sourceType.map { Array($0.description.utf8) },
            event.flow?.bytes, requester.subject.map { Array($0.utf8) }, requester.tokenID.map { Array($0.utf8) },
            requester.remoteAddress.map { Array($0.utf8) }, event.code.map { Array($0.utf8) },
            event.detail.map { Array($0.utf8) }, requester.requestID.map { Array($0.utf8) },
        ]
    }

    /// `nil` also where the filter wants another type or tenant: to read all of each row would take ten times as long.
    init?(_ row: Row, if filter: EventFilter) {
        if let kind = filter.kind, String.fromDatabaseValue(row[Column.type]) != kind.rawValue { return nil }
        if let tenant = filter.tenant, String.fromDatabaseValue(row[Column.tenant]) != tenant.description { return nil }
        self.init(row)
    }

    /// `nil` where a column is of another type than it should be.
    init?(_ row: Row) {
        guard let time = Int64.fromDatabaseValue(row[Column.time]),
            let type = String.fromDatabaseValue(row[Column.type])
        else { return nil }
        self.time = time
        self.type = type
        var parts: [[UInt8]?] = []
        for column in Column.parts {
            switch (row[column] as DatabaseValue).storage {
            case .null: parts.append(nil)
            case .string(let text) where column != .flow: parts.append(Array(text.utf8))
            case .blob(let bytes) where column == .flow: parts.append(Array(bytes))
            default: return nil
            }
        }
        self.parts = parts
    }

    var detail: String? {
        get { parts[Column.reason.part].map { String(decoding: $0, as: UTF8.self) } }
        set { parts[Column.reason.part] = newValue.map { Array($0.utf8) } }
    }

    /// `nil` where the row is not one that this program wrote.
    var event: Event? {
        guard let kind = Event.Kind(rawValue: type) else { return nil }
        let text = { (column: Column) in parts[column.part].map { String(decoding: $0, as: UTF8.self) } }
        return Event(
            kind, at: Timestamp(milliseconds: time),
            by: Requester(
                subject: text(.actor), tokenID: text(.tokenID), remoteAddress: text(.remoteAddress),
                requestID: text(.requestID)),
            tenant: text(.tenant).flatMap { TenantID($0) }, sourceType: text(.sourceType).flatMap { SourceType.ID($0) },
            flow: parts[Column.flow.part].flatMap { FlowID(bytes: $0) }, code: text(.code), detail: text(.reason))
    }

    /// The bytes that a proof is over: each part with its length before it, so that no two events give the same bytes.
    func encoded(sequence: Int64, after digest: [UInt8]) -> [UInt8] {
        var bytes = digest
        bytes.reserveCapacity(256)
        func add(_ number: Int64) { withUnsafeBytes(of: number.bigEndian) { bytes += $0 } }
        add(sequence)
        add(time)
        func add(_ part: [UInt8]?) {
            add(Int64(part?.count ?? -1))
            bytes += part ?? []
        }
        add(Array(type.utf8))
        for part in parts.prefix(Column.requestID.part) { add(part) }
        // Events of version 3 and before have no request id, and their proofs nothing of it.
        for part in parts.dropFirst(Column.requestID.part) where part != nil { add(part) }
        return bytes
    }
}
