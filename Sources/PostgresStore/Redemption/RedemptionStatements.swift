/// A credential key that was presented, as its row says.
enum PresentedKey: Int32, Columns {
    case digest, flow, tenant, sourceType, exchangeChallenge, expiresAt, isSpent, sealed, isRevoked, isKnown

    var sql: String {
        switch self {
        case .isSpent: "c.spent_at IS NOT NULL"
        case .isRevoked:
            """
            EXISTS (SELECT 1 FROM revocations r WHERE r.id > c.line AND (r.tenant IS NULL OR r.tenant = c.tenant)
                AND (r.source_type IS NULL OR r.source_type = c.source_type) AND (r.flow IS NULL OR r.flow = c.flow))
            """
        case .isKnown: "c.spent_at IS NULL OR EXISTS (SELECT 1 FROM flows WHERE flows.id = c.flow)"
        default: "c.\(name)"
        }
    }
}

extension Statement {
    /// Locks what was presented. A row that another broker changes meanwhile is waited for, and read as it is then.
    static let look = Statement(
        "look",
        """
        SELECT \(PresentedKey.list) FROM unnest($1::bytea[]) u(d) JOIN credential_keys c ON c.digest = u.d
        ORDER BY c.digest FOR UPDATE OF c
        """)

    /// Takes the sealed values out of the rows. The rows stay, so that a second presentation is recognised.
    static let spend = Statement(
        "spend",
        """
        WITH k AS (SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[]) k(d, f, n)),
            x AS (UPDATE credential_keys c SET spent_at = k.n, sealed = NULL, sealed_revocation = NULL
                FROM k WHERE c.digest = k.d AND c.spent_at IS NULL RETURNING c.digest),
            f AS (UPDATE flows SET status = \(FlowRow.Status.redeemed), sealed_key = NULL, reuses = 0
                FROM k WHERE flows.id = k.f)
        SELECT digest FROM x
        """)

    static let isTaken = Statement(
        "isTaken",
        """
        SELECT 1 FROM credential_keys c JOIN flows f ON f.id = c.flow
        WHERE c.digest = $1::bytea AND (c.spent_at IS NOT NULL OR f.delivery = 1)
        """)

    static let countReuse = Statement(
        "countReuse",
        "UPDATE flows SET reuses = reuses + 1 WHERE id = $1::bytea AND reuses < $2::bigint RETURNING 1")

    static let leaveOut = Statement("leaveOut", "UPDATE audit_trail SET left_out = left_out + $1::bigint")

    static let takeLeftOut = Statement(
        "takeLeftOut",
        """
        UPDATE audit_trail SET left_out = 0 FROM (SELECT left_out FROM audit_trail WHERE left_out > 0 FOR UPDATE) o
        RETURNING o.left_out
        """)
}
