import Foundation
import GRDB
import Secrets

/// The key of a database's audit trail: random, sealed under the master key.
enum AuditKey {
    private static let label = Label("audit-key")
    private static let context = Array("audit_trail".utf8)

    /// The trail of the database, made with the first start.
    ///
    /// - Parameter isNew: the database was made just now, or had no trail before. Emptying the table of one in use must
    ///   not bring a new trail.
    static func load(_ db: Database, _ ring: KeyRing, isNew: Bool) throws -> AuditTrail {
        if let sealed = try Data.fetchOne(db, sql: "SELECT sealed_key FROM audit_trail") {
            let trail = AuditTrail(key: try open(Array(sealed), ring))
            try trail.open(db)
            return trail
        }
        let key = SecretBytes(Random.bytes(32))
        let isUnused = """
            SELECT NOT EXISTS (SELECT 1 FROM flows) AND NOT EXISTS (SELECT 1 FROM clients)
                AND NOT EXISTS (SELECT 1 FROM audit_events)
            """
        if try isNew || Bool.fetchOne(db, sql: isUnused) == true { try begin(key, sealedBy: ring, in: db, after: 0) }
        let trail = AuditTrail(key: key)
        try trail.open(db)
        return trail
    }

    /// A trail without events, under a key of its own.
    ///
    /// - Parameter sequence: of the last event of the trail before it.
    static func begin(
        _ key: SecretBytes, sealedBy ring: KeyRing, in db: Database, after sequence: Int64
    ) throws {
        let start = AuditTrail.Link(sequence: sequence, digest: AuditTrail.Link.start.digest)
        try db.execute(
            sql: """
                INSERT INTO audit_trail (id, sealed_key, last, last_digest, last_proof, start, start_digest, start_proof)
                VALUES (1, ?, 0, x'', x'', ?, ?, ?)
                """,
            arguments: [
                Data(seal(key, ring)), sequence, Data(start.digest), Data(AuditHead.proof(ofStart: start, key)),
            ])
        var head = AuditHead(link: start, time: 0, orderedFrom: sequence + 1)
        try head.write(db, key)
    }

    static func seal(_ key: SecretBytes, _ ring: KeyRing) -> [UInt8] {
        ring.seal(key, as: label, context: context, for: AuditKey.self).bytes
    }

    static func open(_ sealed: [UInt8], _ ring: KeyRing) throws -> SecretBytes {
        let sealed = Sealed<AuditKey>(stored: sealed)
        do throws(OpenError) {
            return try ring.open(sealed, as: label, context: context)
        } catch {
            throw AuditKeyUnopened(error: error, keyID: sealed.keyID)
        }
    }

    /// Throws where the ring does not open it.
    static func check(_ db: Database, _ ring: KeyRing) throws {
        guard let sealed = try Data.fetchOne(db, sql: "SELECT sealed_key FROM audit_trail") else { return }
        _ = try open(Array(sealed), ring)
    }

    /// Under the ring's first key, if another one sealed it.
    static func reseal(_ db: Database, _ ring: KeyRing) throws {
        guard let row = try Data.fetchOne(db, sql: "SELECT sealed_key FROM audit_trail") else { return }
        let sealed = Sealed<AuditKey>(stored: Array(row))
        guard sealed.keyID != ring.primary else { return }
        let key = try open(sealed.bytes, ring)
        try db.run("UPDATE OR FAIL audit_trail SET sealed_key = ?", .blob(seal(key, ring)))
    }
}

/// The failure to open the audit trail's key, with the master key that it names: without the name, another value under
/// the same name could not be told from a row that was altered.
struct AuditKeyUnopened: Error {
    let error: OpenError
    /// `nil` where the sealed bytes are malformed.
    let keyID: KeyRing.KeyID?
}
