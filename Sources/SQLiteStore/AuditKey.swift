import Foundation
import GRDB
import Secrets

/// The key of a database's audit trail: random, sealed under the master key.
enum AuditKey {
    private static let label = Label("audit-key")
    private static let context = Array("audit_trail".utf8)

    /// Made with the first start.
    static func load(_ db: Database, _ ring: KeyRing) throws -> SecretBytes {
        if let sealed = try Data.fetchOne(db, sql: "SELECT sealed_key FROM audit_trail") {
            return try open(Array(sealed), ring)
        }
        let key = SecretBytes(Random.bytes(32))
        let trail = AuditTrail(key: key)
        try db.execute(
            sql: "INSERT INTO audit_trail VALUES (1, ?, 0, ?, ?, 0, ?, ?)",
            arguments: [
                Data(seal(key, ring)), Data(AuditTrail.Link.start.digest), Data(trail.proof(of: .start, as: .last)),
                Data(AuditTrail.Link.start.digest), Data(trail.proof(of: .start, as: .start)),
            ])
        return key
    }

    static func seal(_ key: SecretBytes, _ ring: KeyRing) -> [UInt8] {
        ring.seal(key, as: label, context: context, for: AuditKey.self).bytes
    }

    static func open(_ sealed: [UInt8], _ ring: KeyRing) throws -> SecretBytes {
        try ring.open(Sealed<AuditKey>(stored: sealed), as: label, context: context)
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
