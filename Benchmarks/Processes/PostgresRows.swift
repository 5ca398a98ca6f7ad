/// Rows put into a broker's tables: copies of the flow and the key that are there.
struct PostgresRows {
    private let server: PostgresServer
    private let database: String

    init(_ server: PostgresServer, _ database: String) {
        self.server = server
        self.database = database
    }

    func keepModel() throws {
        try server.query("CREATE TABLE model_flow AS SELECT * FROM flows LIMIT 1", in: database)
        try server.query("CREATE TABLE model_key AS SELECT * FROM credential_keys LIMIT 1", in: database)
        try server.query("CREATE TABLE progress (passed) AS SELECT 0::bigint", in: database)
    }

    func removeAll() throws { try server.query("TRUNCATE flows, credential_keys", in: database) }

    private static let declared = """
        DECLARE
            f flows;
            k credential_keys;
            base bigint;
        BEGIN
            SELECT * INTO f FROM model_flow;
            SELECT * INTO k FROM model_key;
        """
    /// The next flow's and key's identities, as random as real ones.
    private static let identities = """
        f.id := uuid_send(gen_random_uuid());
        k.flow := f.id;
        k.digest := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
        """

    func addOutstanding(_ count: Int) throws {
        try server.query(
            """
            DO $$ \(Self.declared)
                FOR i IN 1..\(count) LOOP
                    \(Self.identities)
                    INSERT INTO flows SELECT f.*;
                    INSERT INTO credential_keys SELECT k.*;
                END LOOP;
            END $$
            """, in: database)
        try server.query("VACUUM ANALYZE", in: database)
    }

    /// Has so many flows begin, end and be redeemed, and those before the last ones be forgotten. The bytes on the disk
    /// for each that is left, its key and indexes included.
    ///
    /// Moments are counted in flows. After each step the server's own cleaning would be due, by
    /// `autovacuum_vacuum_scale_factor = 0.02`; its timer does not know that a day passes in a minute.
    func passing(_ count: Int, keeping kept: Int) throws -> Double {
        let step = kept / 50
        for _ in 0..<count / step {
            try server.query(pass(step, keeping: kept), in: database)
            try server.query("VACUUM flows, credential_keys", in: database)
        }
        let left = try server.number("SELECT count(*) FROM flows", in: database)
        guard left == Double(kept) else { throw Trouble("\(left) flows are left of \(kept)") }
        return try server.number(
            "SELECT pg_total_relation_size('flows') + pg_total_relation_size('credential_keys')", in: database) / left
    }

    private func pass(_ step: Int, keeping kept: Int) -> String {
        """
        DO $$ \(Self.declared)
            CREATE TEMP TABLE keys AS SELECT * FROM credential_keys WHERE false;
            SELECT passed INTO base FROM progress;
            f.status := 0;
            f.key_expires_at := NULL;
            FOR j IN 1..\(step) LOOP
                \(Self.identities)
                f.expires_at := base + j;
                k.expires_at := base + j;
                INSERT INTO flows SELECT f.*;
                INSERT INTO keys SELECT k.*;
            END LOOP;
            COMMIT;
            UPDATE flows SET status = 1 WHERE expires_at > base;
            COMMIT;
            UPDATE flows SET status = 2, key_expires_at = expires_at WHERE expires_at > base;
            INSERT INTO credential_keys SELECT * FROM keys;
            COMMIT;
            UPDATE credential_keys SET spent_at = 0, sealed = NULL, sealed_revocation = NULL WHERE expires_at > base;
            UPDATE flows SET status = 4, sealed_key = NULL, reuses = 0 WHERE expires_at > base;
            COMMIT;
            DELETE FROM flows WHERE expires_at <= base + \(step - kept);
            DELETE FROM credential_keys WHERE expires_at <= base + \(step - kept);
            UPDATE progress SET passed = base + \(step);
        END $$
        """
    }
}
