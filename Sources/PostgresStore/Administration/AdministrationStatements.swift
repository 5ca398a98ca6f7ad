/// A credential key as operators see it.
enum KeyColumn: Int32, Columns {
    case flow, tenant, sourceType, createdAt, expiresAt, digest, sealedRevocation, line
}

enum ClientColumn: Int32, Columns {
    case sourceType, clientID, sealedSecret, scopes, parameters, changedAt
}

enum SealedClient: Int32, Columns {
    case tenant, sourceType, sealedSecret
}

extension Statement {
    /// The number comes from a row of its own, so that none comes again after the sweep deleted it.
    static let revoke = Statement(
        "revoke",
        """
        WITH g AS (UPDATE generation SET revocations = revocations + 1 RETURNING revocations)
        INSERT INTO revocations (id, tenant, source_type, flow, time)
        SELECT revocations, $1::text, $2::text, $3::bytea, $4::bigint FROM g RETURNING id
        """)

    /// In the order of the index, which no credential key ever leaves.
    static let keyPage = Statement(
        "keyPage",
        """
        SELECT \(KeyColumn.list) FROM credential_keys WHERE (expires_at, digest) > ($1::bigint, $2::bytea)
            AND spent_at IS NULL ORDER BY expires_at, digest LIMIT $3::bigint
        """)

    /// Not locked: `destroyKeys` looks again.
    static let nextKeys = Statement("nextKeys", keyPage.sql)

    static let destroyKeys = Statement(
        "destroyKeys",
        """
        WITH d AS (SELECT c.digest, c.flow, c.tenant, c.source_type, c.sealed_revocation FROM unnest($1::bytea[]) u(d)
                JOIN credential_keys c ON c.digest = u.d WHERE c.spent_at IS NULL ORDER BY c.digest FOR UPDATE OF c),
            x AS (DELETE FROM credential_keys c USING d WHERE c.digest = d.digest AND c.spent_at IS NULL
                RETURNING c.digest)
        SELECT d.digest, d.flow, d.tenant, d.source_type, d.sealed_revocation FROM d JOIN x USING (digest)
        """)

    /// Ends the flows of destroyed credential keys.
    static let takeBack = Statement(
        "takeBack",
        """
        UPDATE flows SET status = \(FlowRow.Status.failed), error = '\(FlowRow.revoked)', sealed_key = NULL
        WHERE id = ANY ($1::bytea[])
        """)

    static let clients = Statement(
        "clients", "SELECT \(ClientColumn.list) FROM clients WHERE tenant = $1::text")

    /// True where there was none before.
    static let setClient = Statement(
        "setClient",
        """
        INSERT INTO clients (tenant, \(ClientColumn.list))
        VALUES ($1::text, $2::text, $3::text, $4::bytea, $5::text, $6::text, $7::bigint)
        ON CONFLICT (tenant, source_type) DO UPDATE SET client_id = excluded.client_id,
            sealed_secret = excluded.sealed_secret, scopes = excluded.scopes, parameters = excluded.parameters,
            changed_at = excluded.changed_at
        RETURNING xmax = 0
        """)

    static let deleteClient = Statement(
        "deleteClient", "DELETE FROM clients WHERE tenant = $1::text AND source_type = $2::text RETURNING 1")

    static let clientsToReseal = Statement(
        "clientsToReseal",
        """
        SELECT \(SealedClient.list) FROM clients WHERE (tenant, source_type) > ($1::text, $2::text)
        ORDER BY tenant, source_type LIMIT $3::bigint FOR UPDATE
        """)

    static let resealClient = Statement(
        "resealClient",
        "UPDATE clients SET sealed_secret = $3::bytea WHERE tenant = $1::text AND source_type = $2::text")

    // MARK: master keys

    static let flowUses = Statement(
        "flowUses",
        """
        SELECT master_key, count(*) FROM flows
        WHERE (\(FlowRow.Status.isOpen) AND expires_at > $1::bigint)
            OR (status = \(FlowRow.Status.succeeded) AND sealed_key IS NOT NULL AND key_expires_at > $1)
        GROUP BY 1
        """)

    /// The beginning of a sealed value has the key's name, and no more than that is read.
    static let keyUses = Statement(
        "keyUses",
        """
        SELECT substring(sealed from 1 for 2 + get_byte(sealed, 1)), count(*) FROM credential_keys
        WHERE expires_at > $1::bigint AND sealed IS NOT NULL AND length(sealed) > 1 GROUP BY 1
        """)

    static let clientUses = Statement(
        "clientUses",
        """
        SELECT substring(sealed_secret from 1 for 2 + get_byte(sealed_secret, 1)), count(*) FROM clients
        WHERE length(sealed_secret) > 1 GROUP BY 1
        """)
}
