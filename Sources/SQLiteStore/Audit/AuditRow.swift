import Broker
import Catalog
import Formats
import Foundation
import GRDB
import StoreParts

typealias AuditRow = AuditEntry

/// An event as a row of SQLite. Reads whatever a row holds: the file may have been altered.
extension AuditEntry {
    enum Column: Int32, Columns {
        case sequence, time, type
        case tenant, sourceType, flow, actor, tokenID, remoteAddress, code, reason, requestID
        case digest

        /// Those of `parts`.
        static let parts = Array(allCases.drop { $0 != .tenant }.prefix { $0 != .digest })
    }

    /// The columns as far as a database has them: older ones are read as they are.
    static func columns(in db: Database) throws -> String {
        let present = try db.columns(in: "audit_events").map(\.name)
        let requestID = Column.requestID.name
        return present.contains(requestID) ? Column.list : Column.list.replacing(requestID, with: "NULL")
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
        var parts: [[UInt8]?] = []
        for column in Column.parts {
            switch (row[column] as DatabaseValue).storage {
            case .null: parts.append(nil)
            case .string(let text) where column != .flow: parts.append(Array(text.utf8))
            case .blob(let bytes) where column == .flow: parts.append(Array(bytes))
            default: return nil
            }
        }
        self.init(time: time, type: type, parts: parts)
    }
}
