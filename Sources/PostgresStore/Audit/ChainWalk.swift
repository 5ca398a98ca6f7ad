import Secrets
import StoreParts

/// Goes along a chain, event by event, and stops where one does not fit.
struct ChainWalk {
    private let key: SecretBytes
    private let orderedFrom: Int64
    /// The last event that fits.
    private(set) var link: ChainHead.Link
    private var time = Int64.min

    /// - Parameter orderedFrom: as the chain's head has it.
    init(key: SecretBytes, orderedFrom: Int64, from link: ChainHead.Link) {
        self.key = key
        self.orderedFrom = orderedFrom
        self.link = link
    }

    /// - Parameter row: of `EventColumn.list`.
    mutating func step(_ row: QueryResult.Row) throws(Breach) -> AuditEntry {
        let sequence = link.sequence &+ 1
        guard row.int(EventColumn.sequence) == sequence else {
            throw Breach(sequence: sequence, finding: "the event is missing")
        }
        let entry = AuditEntry(row)
        let digest = row.bytes(EventColumn.digest)
        guard HMACSHA256.verify(digest, of: entry.encoded(sequence: sequence, after: link.digest), key: key) else {
            throw Breach(sequence: sequence, finding: "the event was altered")
        }
        guard sequence <= orderedFrom || entry.time >= time else {
            throw Breach(sequence: sequence, finding: "the event is older than the one before")
        }
        link = ChainHead.Link(sequence: sequence, digest: digest)
        time = entry.time
        return entry
    }
}

extension AuditEntry {
    /// Of `EventColumn.list`.
    init(_ row: QueryResult.Row) {
        self.init(
            time: row.int(EventColumn.time), type: row.text(EventColumn.type),
            parts: EventColumn.parts.map { row.bytesIfAny($0) })
    }
}
