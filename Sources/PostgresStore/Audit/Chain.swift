import Broker
import Secrets
import StoreParts

/// One writer's chain of the audit trail: events in the order of its commits, each with a proof over itself and the one
/// before.
///
/// Each writing connection has a chain of its own: one for all would have the brokers wait for each other's commits. The
/// proofs are HMACs under a key of the database, sealed under the master key: whoever can write the tables but not open
/// that key can neither alter, add nor remove an event unseen. Each transaction looks at the end of its chain before it
/// adds to it; where something does not fit, the chain stays as it is from then on, and the log has the events.
///
/// Not `Sendable`: it goes with the writing connection.
final class Chain {
    let key: SecretBytes
    let number: Int64
    /// The random name of this writer, by which it tells that nobody else took the chain over.
    let holder: [UInt8]
    /// The end of the chain in this transaction; `nil` before it was looked at, and where it is broken.
    private var head: ChainHead?
    private(set) var batch: Int64 = 0
    /// After the last commit: a chain that ends before it is broken.
    private var known: ChainHead?
    private(set) var breach: Breach?
    private(set) var isSynchronous = false
    private var added: [(entry: AuditEntry, link: ChainHead.Link)] = []

    /// The time by which an event may be earlier than the one before it without a remark: calls wait for their commit.
    static let disorderMilliseconds: Int64 = 60_000

    init(key: SecretBytes, number: Int64, holder: [UInt8]) {
        self.key = key
        self.number = number
        self.holder = holder
    }

    /// A chain that another writer holds by now.
    struct TakenOver: Error {}

    /// Takes what `fence` and `newest` found.
    func begin(_ row: QueryResult.Row?, newest: QueryResult.Row?) throws {
        added = []
        head = nil
        guard let row else {
            breach = breach ?? Breach(sequence: EventNumber(number, 0).value, finding: "the chain's head is gone")
            throw TakenOver()
        }
        batch = row.int(ChainColumn.batch)
        isSynchronous = row.bool(ChainColumn.isSynchronous)
        guard row.bytes(ChainColumn.holder) == holder else { throw TakenOver() }
        guard breach == nil else { return }
        do {
            head = try ChainHead.examine(
                row, newest: newest.map { .init(sequence: $0.int(0), digest: $0.bytes(1)) }, key, after: known)
        } catch {
            breach = Breach(sequence: EventNumber(number, error.sequence).value, finding: error.finding)
        }
    }

    /// Adds an event to the transaction, unless the chain is broken. Its time is at least its predecessor's.
    func append(_ event: Event) {
        guard var last = head else { return }
        var entry = AuditEntry(event)
        if entry.time < last.time {
            if last.time - entry.time > Self.disorderMilliseconds {
                entry.detail = (entry.detail.map { $0 + "; " } ?? "") + "the clock said \(entry.time)"
            }
            entry.time = last.time
        }
        last.add(entry, key)
        added.append((entry, last.link))
        head = last
    }

    /// Sends the events and the end of the chain. The number of statements that were sent.
    func finish(on connection: Connection) throws(PostgresFailure) -> Int {
        guard let head else {
            let breach = breach ?? Breach(sequence: 0, finding: "the chain was not looked at")
            try connection.send(
                .markBroken, [.int(number), .int(batch &+ 1), .int(breach.sequence), .text(breach.finding)])
            return 1
        }
        if !added.isEmpty { try connection.send(.append, AuditEntry.parameters(added, of: number)) }
        try connection.send(.advance, head.parameters(of: number, batch: batch &+ 1, key))
        return added.isEmpty ? 1 : 2
    }

    /// After the commit.
    func committed() {
        if let head { known = head }
        head = nil
        added = []
    }

    /// After a commit of which nobody can tell whether it is there.
    func forgetKnown() { known = nil }

    /// The trace of the running transaction: by it a commit whose answer was lost is found again.
    var mark: Mark { Mark(batch: batch &+ 1, last: added.last?.link) }

    struct Mark {
        let batch: Int64
        /// The last event, where it has any: the proof is no other transaction's.
        let last: ChainHead.Link?
    }
}

extension ChainHead {
    /// Moves on by an event.
    mutating func add(_ entry: AuditEntry, _ key: SecretBytes) {
        let sequence = link.sequence + 1
        link = Link(
            sequence: sequence,
            digest: HMACSHA256.code(of: entry.encoded(sequence: sequence, after: link.digest), key: key))
        time = entry.time
    }

    /// Those of `advance`.
    func parameters(of chain: Int64, batch: Int64, _ key: SecretBytes) -> [Parameter] {
        [
            .int(chain), .int(batch), .int(link.sequence), .bytes(link.digest), .int(time),
            .bytes(proof(key, chain: chain)),
        ]
    }
}

extension AuditEntry {
    /// Those of `append`.
    static func parameters(_ added: [(entry: AuditEntry, link: ChainHead.Link)], of chain: Int64) -> [Parameter] {
        let text = { (part: Part) in
            Parameter.texts(added.map { $0.entry.text(part) })
        }
        return [
            .int(chain), .ints(added.map(\.link.sequence)), .ints(added.map(\.entry.time)),
            .texts(added.map(\.entry.type)), text(.tenant), text(.sourceType),
            .byteses(added.map { $0.entry.parts[Part.flow.rawValue] }), text(.actor), text(.tokenID),
            text(.remoteAddress), text(.code), text(.reason), text(.requestID), .byteses(added.map(\.link.digest)),
        ]
    }
}

/// An event's number in answers: its chain's, then its own. Programs read it as a number, so it stays below 2^53.
struct EventNumber {
    let value: Int64

    init(_ value: Int64) { self.value = value }

    init(_ chain: Int64, _ sequence: Int64) { value = (chain - 1) << 32 | sequence }

    var chain: Int64 { value >> 32 + 1 }
    var sequence: Int64 { value & 0xFFFF_FFFF }
}
