import Secrets
import StoreParts

/// What one broker does for all chains.
extension Transaction {
    /// Deletes the oldest events of a chain from before `time`, after a look at each. Their number.
    ///
    /// - Parameter row: of `ChainColumn`, locked.
    func forgetEvents(of row: QueryResult.Row, before time: Int64, limit: Int64) throws -> Int64 {
        let chain = row.int(ChainColumn.chain)
        do {
            let (head, start) = try ChainHead.proven(row, key)
            var walk = ChainWalk(key: key, orderedFrom: head.orderedFrom, from: start)
            var last = start
            for row in try query(.oldest, [.int(chain), .int(start.sequence), .int(limit)]).rows {
                guard try walk.step(row).time < time else { break }
                last = walk.link
            }
            guard last != start else { return 0 }
            try query(.forgetEvents, [.int(chain), .int(last.sequence)])
            try query(
                .keepStart,
                [
                    .int(chain), .int(last.sequence), .bytes(last.digest),
                    .bytes(ChainHead.proof(ofStart: last, key, chain: chain)),
                ])
            return last.sequence - start.sequence
        } catch is Breach {
            // Its own writer, or who verifies the trail, tells.
            return 0
        }
    }

    /// Keeps the ends of all chains under one proof: a chain that is taken away, or put back to an earlier state, shows.
    ///
    /// An anchor that does not fit what is there is evidence, and stays.
    func anchorChains() throws {
        let rows = try query(.heads).rows
        guard let old = try query(.anchor).first, !old.isNull(0),
            let anchor = AuditAnchor(old.bytes(0), proof: old.bytes(1), key)
        else { return }
        var present: [Int64: ChainHead.Link] = [:]
        for row in rows { present[row.int(0)] = ChainHead.Link(sequence: row.int(1), digest: row.bytes(2)) }
        for (chain, link) in anchor.heads {
            guard let head = present[chain], head.sequence > link.sequence || head == link else { return }
        }
        var bytes: [UInt8] = []
        for row in rows {
            for number in [row.int(0), row.int(1)] { withUnsafeBytes(of: number.bigEndian) { bytes += $0 } }
            bytes += row.bytes(2)
        }
        try query(.keepAnchor, [.bytes(bytes), .bytes(AuditAnchor.proof(of: bytes, key))])
    }
}

/// The ends of all chains at the last sweep: for each its number, its last event's, and that one's proof.
struct AuditAnchor {
    let heads: [(chain: Int64, link: ChainHead.Link)]

    static func proof(of bytes: [UInt8], _ key: SecretBytes) -> [UInt8] {
        HMACSHA256.code(of: Array("anchor ".utf8) + bytes, key: key)
    }

    /// `nil` where the proof is not right.
    init?(_ bytes: [UInt8], proof: [UInt8], _ key: SecretBytes) {
        guard bytes.count.isMultiple(of: 48), constantTimeEqual(Self.proof(of: bytes, key), proof) else { return nil }
        heads = stride(from: 0, to: bytes.count, by: 48).map { start in
            let number = { (at: Int) in bytes[at..<at + 8].reduce(Int64(0)) { $0 << 8 | Int64($1) } }
            return (
                number(start),
                ChainHead.Link(sequence: number(start + 8), digest: Array(bytes[start + 16..<start + 48]))
            )
        }
    }
}
