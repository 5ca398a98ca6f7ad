import Secrets

/// The key of a database's audit trail: random, sealed under the master key.
enum AuditKey {
    private static let label = Label("audit-key")
    private static let context = Array("audit_trail".utf8)

    static func seal(_ key: SecretBytes, _ ring: KeyRing) -> [UInt8] {
        ring.seal(key, as: label, context: context, for: AuditKey.self).bytes
    }

    /// A statement that puts a key in the place of any before it, with an anchor of no chains. Of bytes of the program's
    /// own.
    static func insertion(of key: SecretBytes, sealedBy ring: KeyRing, leftOut: Int64 = 0) -> String {
        """
        INSERT INTO audit_trail (sealed_key, left_out, anchor, anchor_proof) VALUES (decode('\(seal(key, ring).hex)', 'hex'),
            \(leftOut), '', decode('\(AuditAnchor.proof(of: [], key).hex)', 'hex'))
        ON CONFLICT (one) DO UPDATE SET sealed_key = excluded.sealed_key, left_out = excluded.left_out,
            anchor = excluded.anchor, anchor_proof = excluded.anchor_proof
        """
    }

    static func open(_ sealed: [UInt8], _ ring: KeyRing) throws(AuditKeyUnopened) -> SecretBytes {
        let sealed = Sealed<AuditKey>(stored: sealed)
        do throws(OpenError) {
            return try ring.open(sealed, as: label, context: context)
        } catch {
            throw AuditKeyUnopened(error: error, keyID: sealed.keyID)
        }
    }
}

/// The failure to open the audit trail's key, with the master key that it names.
struct AuditKeyUnopened: Error {
    let error: OpenError
    /// `nil` where the sealed bytes are malformed.
    let keyID: KeyRing.KeyID?

    /// The key that the ring lacks; `nil` where it has one of that name.
    var missing: KeyRing.KeyID? { if case .unknownKey(let id) = error { id } else { nil } }
}
