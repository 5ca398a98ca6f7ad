import Broker
import Formats
import Foundation
import GRDB
import Secrets
import StoreParts

@testable import SQLiteStore

/// A database of version 4, whose trail had no order of times.
enum FourthDatabase {
    static func make(_ path: String, times: [Int64], _ ring: KeyRing) throws {
        let key = SecretBytes(Random.bytes(32))
        var link = AuditTrail.Link.start
        let start = link
        let queue = try DatabaseQueue(path: path)
        try Schema.migrator.migrate(queue, upTo: "4 redirect addresses of their own")
        try queue.write { db in
            try db.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
            for time in times {
                let entry = AuditEntry(Event(.clientChanged, at: Timestamp(milliseconds: time)))
                let sequence = link.sequence + 1
                link = AuditTrail.Link(
                    sequence: sequence,
                    digest: HMACSHA256.code(of: entry.encoded(sequence: sequence, after: link.digest), key: key))
                try db.execute(
                    sql: "INSERT INTO audit_events (sequence, time, type, digest) VALUES (?, ?, 'client.changed', ?)",
                    arguments: [sequence, time, Data(link.digest)])
            }
            let proof = HMACSHA256.code(of: Array("last \(link.sequence) ".utf8) + link.digest, key: key)
            try db.execute(
                sql: "INSERT INTO audit_trail VALUES (1, ?, ?, ?, ?, 0, ?, ?)",
                arguments: [
                    Data(AuditKey.seal(key, ring)), link.sequence, Data(link.digest), Data(proof), Data(start.digest),
                    Data(AuditHead.proof(ofStart: start, key)),
                ])
        }
        try queue.close()
    }
}
