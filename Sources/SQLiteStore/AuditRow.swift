import Broker
import Catalog
import Formats
import Foundation
import GRDB

/// An event as a row of the trail, and back. Reads whatever a row holds: the file may have been altered.
struct AuditRow {
    static let columns =
        """
        sequence, time, type, tenant, source_type, flow, actor, token_id, remote_address, code, reason, request_id, \
        digest
        """

    /// The types that each flow or refresh has: to look for the others, an index tells where they are. It has this
    /// condition in it: another one here needs a migration with another index.
    static let isSeldom =
        "type NOT IN ('flow.started', 'flow.succeeded', 'credential_key.redeemed', 'credentials.refreshed')"

    /// The columns as far as a database has them: older ones are read as they are.
    static func columns(in db: Database) throws -> String {
        let present = try db.columns(in: "audit_events").map(\.name)
        return present.contains("request_id") ? columns : columns.replacing("request_id", with: "NULL")
    }

    /// As the trail keeps it, see `AuditTrail.append`.
    var time: Int64
    let type: String
    /// In the order of their columns, from `tenant` to `request_id`.
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
        if let kind = filter.kind, String.fromDatabaseValue(row[2]) != kind.rawValue { return nil }
        if let tenant = filter.tenant, String.fromDatabaseValue(row[3]) != tenant.description { return nil }
        self.init(row)
    }

    /// `nil` where a column is of another type than it should be.
    init?(_ row: Row) {
        guard let time = Int64.fromDatabaseValue(row[1]), let type = String.fromDatabaseValue(row[2]) else {
            return nil
        }
        self.time = time
        self.type = type
        var parts: [[UInt8]?] = []
        for column in 3...11 {
            switch (row[column] as DatabaseValue).storage {
            case .null: parts.append(nil)
            case .string(let text) where column != 5: parts.append(Array(text.utf8))
            case .blob(let bytes) where column == 5: parts.append(Array(bytes))
            default: return nil
            }
        }
        self.parts = parts
    }

    var detail: String? {
        get { parts[7].map { String(decoding: $0, as: UTF8.self) } }
        set { parts[7] = newValue.map { Array($0.utf8) } }
    }

    /// `nil` where the row is not one that this program wrote.
    var event: Event? {
        guard let kind = Event.Kind(rawValue: type) else { return nil }
        let texts = parts.map { $0.map { String(decoding: $0, as: UTF8.self) } }
        return Event(
            kind, at: Timestamp(milliseconds: time),
            by: Requester(
                subject: texts[3], tokenID: texts[4], remoteAddress: texts[5], requestID: texts[8]),
            tenant: texts[0].flatMap { TenantID($0) }, sourceType: texts[1].flatMap { SourceType.ID($0) },
            flow: parts[2].flatMap { FlowID(bytes: $0) }, code: texts[6], detail: texts[7])
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
        for part in parts.prefix(8) { add(part) }
        // Events of version 3 and before have no request id, and their proofs nothing of it.
        for part in parts.dropFirst(8) where part != nil { add(part) }
        return bytes
    }
}
