import Foundation
import GRDB
import Secrets
import StoreParts

/// Goes along a trail, event by event, and stops where one does not fit.
struct AuditWalk {
    private let key: SecretBytes
    private let orderedFrom: Int64
    /// The last event that fits.
    private(set) var link: AuditTrail.Link
    private var time = Int64.min

    init(key: SecretBytes, orderedFrom: Int64, from link: AuditTrail.Link) {
        self.key = key
        self.orderedFrom = orderedFrom
        self.link = link
    }

    /// - Parameter row: of `AuditRow.Column.list`.
    mutating func step(_ row: Row) throws(Breach) -> AuditRow {
        // An altered head may say any number.
        let sequence = link.sequence &+ 1
        guard Int64.fromDatabaseValue(row[AuditRow.Column.sequence]) == sequence else {
            throw Breach(sequence: sequence, finding: "the event is missing")
        }
        guard let digest = Data.fromDatabaseValue(row[AuditRow.Column.digest]).map({ [UInt8]($0) }),
            let event = AuditRow(row),
            HMACSHA256.verify(digest, of: event.encoded(sequence: sequence, after: link.digest), key: key)
        else { throw Breach(sequence: sequence, finding: "the event was altered") }
        guard sequence <= orderedFrom || event.time >= time else {
            throw Breach(sequence: sequence, finding: "the event is older than the one before")
        }
        link = AuditTrail.Link(sequence: sequence, digest: digest)
        time = event.time
        return event
    }
}
