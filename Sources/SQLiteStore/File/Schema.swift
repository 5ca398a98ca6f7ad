import GRDB

/// The tables, from the first version on. A migration that was released is never changed.
enum Schema {
    /// `clkr`: marks a database as ours (SQLite's `application_id`).
    static let applicationID: Int32 = 0x636C_6B72
    /// `clkm`: one of ours that was moved to another store.
    static let movedID: Int32 = 0x636C_6B6D

    /// The number of the last migration, kept as SQLite's `user_version`.
    static let version: Int32 = 9

    /// Tells whether a newer program has been here.
    ///
    /// Asked in two steps: GRDB's own question alone fails where another process makes its table meanwhile.
    static func isSuperseded(_ db: Database) throws -> Bool {
        guard try db.tableExists("grdb_migrations") else { return false }
        return try migrator.hasBeenSuperseded(db)
    }

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 flows and credential keys") { db in
            try db.execute(
                sql: """
                    CREATE TABLE flows (
                        id                 BLOB PRIMARY KEY NOT NULL,
                        tenant             TEXT NOT NULL,
                        source_type        TEXT NOT NULL,
                        parameters         TEXT NOT NULL,
                        scopes             TEXT NOT NULL,
                        frontend_origin    TEXT NOT NULL,
                        return_url         TEXT,
                        exchange_challenge TEXT,
                        master_key         TEXT NOT NULL,
                        status             INTEGER NOT NULL,
                        is_bound           INTEGER NOT NULL DEFAULT 0,
                        error              TEXT,
                        error_description  TEXT,
                        key_digest         BLOB,
                        sealed_key         BLOB,
                        key_expires_at     INTEGER,
                        expires_at         INTEGER NOT NULL,
                        sweep_at           INTEGER NOT NULL,
                        is_swept           INTEGER NOT NULL DEFAULT 0
                    ) WITHOUT ROWID;
                    CREATE INDEX flows_by_sweep ON flows (sweep_at);
                    CREATE INDEX flows_by_key ON flows (key_digest) WHERE key_digest IS NOT NULL;

                    CREATE TABLE credential_keys (
                        digest             BLOB PRIMARY KEY NOT NULL,
                        flow               BLOB NOT NULL,
                        tenant             TEXT NOT NULL,
                        source_type        TEXT NOT NULL,
                        exchange_challenge TEXT,
                        sealed             BLOB NOT NULL,
                        expires_at         INTEGER NOT NULL
                    ) WITHOUT ROWID;
                    CREATE INDEX credential_keys_by_expiry ON credential_keys (expires_at);

                    PRAGMA user_version = 1;
                    """)
        }
        migrator.registerMigration("2 audit trail, revocations and tenants' clients") { db in
            try db.execute(
                sql: """
                    ALTER TABLE flows ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE credential_keys ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE credential_keys ADD COLUMN flow_created_at INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE credential_keys ADD COLUMN sealed_revocation BLOB;

                    CREATE TABLE revocations (
                        id          INTEGER PRIMARY KEY,
                        tenant      TEXT,
                        source_type TEXT,
                        time        INTEGER NOT NULL
                    );
                    CREATE INDEX revocations_by_time ON revocations (time);

                    CREATE TABLE clients (
                        tenant        TEXT NOT NULL,
                        source_type   TEXT NOT NULL,
                        client_id     TEXT NOT NULL,
                        sealed_secret BLOB,
                        scopes        TEXT,
                        parameters    TEXT NOT NULL,
                        changed_at    INTEGER NOT NULL,
                        PRIMARY KEY (tenant, source_type)
                    ) WITHOUT ROWID;

                    CREATE TABLE audit_events (
                        sequence       INTEGER PRIMARY KEY,
                        time           INTEGER NOT NULL,
                        type           TEXT NOT NULL,
                        tenant         TEXT,
                        source_type    TEXT,
                        flow           BLOB,
                        actor          TEXT,
                        token_id       TEXT,
                        remote_address TEXT,
                        code           TEXT,
                        reason         TEXT,
                        digest         BLOB NOT NULL
                    );
                    CREATE TABLE audit_trail (
                        id           INTEGER PRIMARY KEY CHECK (id = 1),
                        sealed_key   BLOB NOT NULL,
                        last         INTEGER NOT NULL,
                        last_digest  BLOB NOT NULL,
                        last_proof   BLOB NOT NULL,
                        start        INTEGER NOT NULL,
                        start_digest BLOB NOT NULL,
                        start_proof  BLOB NOT NULL
                    );

                    PRAGMA user_version = 2;
                    """)
        }
        migrator.registerMigration("3 rows in the order of their making") { db in
            // What many callers do at one time is on a few pages then, and a commit writes those alone. Sorted by their
            // random keys, each row was on a page of its own (https://www.sqlite.org/withoutrowid.html § 4 advises
            // against it for rows of more than a twentieth of a page besides).
            let bounds = try String.fetchOne(db, sql: "SELECT sql FROM sqlite_schema WHERE name = 'flows_outstanding'")
            try db.execute(
                sql: """
                    CREATE TABLE flows_by_age (
                        id                 BLOB PRIMARY KEY NOT NULL,
                        tenant             TEXT NOT NULL,
                        source_type        TEXT NOT NULL,
                        parameters         TEXT NOT NULL,
                        scopes             TEXT NOT NULL,
                        frontend_origin    TEXT NOT NULL,
                        return_url         TEXT,
                        exchange_challenge TEXT,
                        master_key         TEXT NOT NULL,
                        status             INTEGER NOT NULL,
                        is_bound           INTEGER NOT NULL DEFAULT 0,
                        error              TEXT,
                        error_description  TEXT,
                        key_digest         BLOB,
                        sealed_key         BLOB,
                        key_expires_at     INTEGER,
                        expires_at         INTEGER NOT NULL,
                        sweep_at           INTEGER NOT NULL,
                        is_swept           INTEGER NOT NULL DEFAULT 0,
                        created_at         INTEGER NOT NULL DEFAULT 0
                    );
                    INSERT INTO flows_by_age SELECT * FROM flows ORDER BY created_at;
                    DROP TABLE flows;
                    ALTER TABLE flows_by_age RENAME TO flows;
                    CREATE INDEX flows_by_sweep ON flows (sweep_at);
                    CREATE INDEX flows_by_key ON flows (key_digest) WHERE key_digest IS NOT NULL;

                    CREATE TABLE credential_keys_by_age (
                        digest             BLOB PRIMARY KEY NOT NULL,
                        flow               BLOB NOT NULL,
                        tenant             TEXT NOT NULL,
                        source_type        TEXT NOT NULL,
                        exchange_challenge TEXT,
                        sealed             BLOB NOT NULL,
                        expires_at         INTEGER NOT NULL,
                        created_at         INTEGER NOT NULL DEFAULT 0,
                        flow_created_at    INTEGER NOT NULL DEFAULT 0,
                        sealed_revocation  BLOB
                    );
                    INSERT INTO credential_keys_by_age SELECT * FROM credential_keys ORDER BY created_at;
                    DROP TABLE credential_keys;
                    ALTER TABLE credential_keys_by_age RENAME TO credential_keys;
                    CREATE INDEX credential_keys_by_expiry ON credential_keys (expires_at, digest);

                    PRAGMA user_version = 3;
                    """)
            if let bounds { try db.execute(sql: bounds) }
        }
        migrator.registerMigration("4 redirect addresses of their own") { db in
            try db.execute(
                sql: """
                    ALTER TABLE flows ADD COLUMN redirect TEXT NOT NULL DEFAULT '';
                    ALTER TABLE flows ADD COLUMN client_id TEXT NOT NULL DEFAULT '';
                    ALTER TABLE audit_events ADD COLUMN request_id TEXT;

                    PRAGMA user_version = 4;
                    """)
        }
        migrator.registerMigration("5 revocations by the store's order, and a trail that checks itself") { db in
            // Revocations were told from flows by the clock so far: what they meant is done here, once, and the new ones
            // begin with nothing behind them. AUTOINCREMENT: a number never comes again after the sweep deleted it.
            let isRevoked = { (start: String, table: String) in
                """
                EXISTS (SELECT 1 FROM revocations WHERE time >= \(table).\(start)
                    AND (revocations.tenant IS NULL OR revocations.tenant = \(table).tenant)
                    AND (revocations.source_type IS NULL OR revocations.source_type = \(table).source_type))
                """
            }
            try db.execute(
                sql: """
                    UPDATE flows SET status = 3, error = 'invalid_state', sealed_key = NULL
                        WHERE status < 3 AND \(isRevoked("created_at", "flows"));
                    DELETE FROM credential_keys WHERE \(isRevoked("flow_created_at", "credential_keys"));
                    DROP TABLE revocations;
                    CREATE TABLE revocations (
                        id          INTEGER PRIMARY KEY AUTOINCREMENT,
                        tenant      TEXT,
                        source_type TEXT,
                        flow        BLOB,
                        time        INTEGER NOT NULL
                    );
                    ALTER TABLE flows ADD COLUMN line INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE flows ADD COLUMN reuses INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE credential_keys ADD COLUMN line INTEGER NOT NULL DEFAULT 0;

                    ALTER TABLE audit_trail ADD COLUMN last_time INTEGER NOT NULL DEFAULT -1;
                    ALTER TABLE audit_trail ADD COLUMN ordered_from INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE audit_trail ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE audit_trail ADD COLUMN writes INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE audit_trail ADD COLUMN broken_at INTEGER;
                    ALTER TABLE audit_trail ADD COLUMN finding TEXT;
                    CREATE INDEX audit_events_seldom ON audit_events (type, sequence) WHERE type NOT IN
                        ('flow.started', 'flow.succeeded', 'credential_key.redeemed', 'credentials.refreshed');

                    PRAGMA user_version = 5;
                    """)
        }
        migrator.registerMigration("6 refreshes that brokers share") { db in
            try db.execute(
                sql: """
                    CREATE TABLE refreshes (
                        id           BLOB PRIMARY KEY NOT NULL,
                        tenant       TEXT NOT NULL,
                        source_type  TEXT NOT NULL,
                        lease        BLOB NOT NULL,
                        is_running   INTEGER NOT NULL,
                        answer       BLOB,
                        failed_lease BLOB,
                        failure      BLOB,
                        machine      BLOB NOT NULL,
                        uptime       INTEGER NOT NULL,
                        time         INTEGER NOT NULL
                    );
                    CREATE TABLE refresh_tokens (
                        token        BLOB NOT NULL,
                        refresh      BLOB NOT NULL REFERENCES refreshes (id) ON DELETE CASCADE,
                        PRIMARY KEY (token, refresh)
                    ) WITHOUT ROWID;
                    CREATE INDEX refresh_tokens_by_refresh ON refresh_tokens (refresh);

                    PRAGMA user_version = 6;
                    """)
        }
        migrator.registerMigration("7 what got to the page that began a flow") { db in
            try db.execute(
                sql: """
                    ALTER TABLE flows ADD COLUMN delivery INTEGER NOT NULL DEFAULT 0;

                    PRAGMA user_version = 7;
                    """)
        }
        migrator.registerMigration("8 the answer of a refresh that was overtaken") { db in
            try db.execute(
                sql: """
                    ALTER TABLE refreshes ADD COLUMN overtaken BLOB;

                    PRAGMA user_version = 8;
                    """)
        }
        migrator.registerMigration("9 clients that the broker registered") { db in
            try db.execute(
                sql: """
                    CREATE TABLE client_registrations (
                        issuer        TEXT NOT NULL,
                        redirect_uri  TEXT NOT NULL,
                        sealed        BLOB NOT NULL,
                        registered_at INTEGER NOT NULL,
                        PRIMARY KEY (issuer, redirect_uri)
                    ) WITHOUT ROWID;

                    PRAGMA user_version = 9;
                    """)
        }
        return migrator
    }
}
