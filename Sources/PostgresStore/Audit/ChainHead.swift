import Secrets
import StoreParts

/// The end of a chain, as its row has it with a proof. Without it, events could be cut off.
struct ChainHead: Equatable {
    /// A place in the chain.
    struct Link: Equatable {
        var sequence: Int64
        var digest: [UInt8]

        /// Before the first event.
        static let start = Link(sequence: 0, digest: [UInt8](repeating: 0, count: 32))
    }

    var link: Link
    /// The last event's. In the head, since the last event may be forgotten.
    var time: Int64
    /// From this event on, none has an earlier time than the one before it. 0 for all chains but one that was copied from
    /// a store of before.
    var orderedFrom: Int64 = 0

    func proof(_ key: SecretBytes, chain: Int64) -> [UInt8] {
        let order = orderedFrom == 0 ? "" : "\(orderedFrom) "
        return HMACSHA256.code(
            of: Array("end \(chain) \(link.sequence) \(time) \(order)".utf8) + link.digest, key: key)
    }

    static func proof(ofStart link: Link, _ key: SecretBytes, chain: Int64) -> [UInt8] {
        HMACSHA256.code(of: Array("start \(chain) \(link.sequence) ".utf8) + link.digest, key: key)
    }

    /// Of a row of `ChainColumn`, proven.
    static func proven(_ row: QueryResult.Row, _ key: SecretBytes) throws(Breach) -> (head: ChainHead, start: Link) {
        let chain = row.int(ChainColumn.chain)
        let head = ChainHead(
            link: Link(sequence: row.int(ChainColumn.last), digest: row.bytes(ChainColumn.lastDigest)),
            time: row.int(ChainColumn.lastTime), orderedFrom: row.int(ChainColumn.orderedFrom))
        guard constantTimeEqual(head.proof(key, chain: chain), row.bytes(ChainColumn.lastProof)) else {
            throw Breach(sequence: head.link.sequence, finding: "the chain's head was altered")
        }
        let start = Link(sequence: row.int(ChainColumn.start), digest: row.bytes(ChainColumn.startDigest))
        // What lies before the start need not be there: a start without a proof would excuse any gap.
        guard constantTimeEqual(proof(ofStart: start, key, chain: chain), row.bytes(ChainColumn.startProof)) else {
            throw Breach(sequence: start.sequence &+ 1, finding: "events before this one were removed")
        }
        return (head, start)
    }

    /// The head, proven, with the event that it names at the end of the table.
    ///
    /// - Parameter known: where this writer knows the chain to have been: it cannot have become shorter since.
    static func examine(
        _ row: QueryResult.Row, newest: Link?, _ key: SecretBytes, after known: ChainHead?
    ) throws(Breach) -> ChainHead {
        if !row.isNull(ChainColumn.brokenAt) {
            throw Breach(sequence: row.int(ChainColumn.brokenAt), finding: row.text(ChainColumn.finding))
        }
        let (head, start) = try proven(row, key)
        guard newest == head.link || (newest == nil && start == head.link) else {
            let sequence = newest?.sequence ?? start.sequence
            throw sequence > head.link.sequence
                ? Breach(sequence: head.link.sequence &+ 1, finding: "events from this one on were added")
                : Breach(sequence: sequence &+ 1, finding: "events from this one on were removed")
        }
        // Only this writer adds to its chain: after a failover to a standby that was behind, it is shorter.
        if let known, known != head {
            throw Breach(
                sequence: head.link.sequence &+ 1,
                finding: "the chain ends elsewhere than this broker left it: a standby that was behind, or an old copy")
        }
        return head
    }
}

extension ChainHead {
    /// A statement that makes a chain, which ends here and begins at `start`. Of numbers and bytes of the program's own.
    func insertion(as chain: Int64, holder: [UInt8], from start: Link, _ key: SecretBytes) -> String {
        let bytes = { (bytes: [UInt8]) in "decode('\(bytes.hex)', 'hex')" }
        return """
            INSERT INTO audit_chains (chain, holder, last, last_digest, last_time, ordered_from, last_proof, start,
                start_digest, start_proof)
            VALUES (\(chain), \(bytes(holder)), \(link.sequence), \(bytes(link.digest)), \(time), \(orderedFrom),
                \(bytes(proof(key, chain: chain))), \(start.sequence), \(bytes(start.digest)),
                \(bytes(Self.proof(ofStart: start, key, chain: chain))))
            """
    }
}
