import GRDB

/// The tables, from the first version on. A migration that was released is never changed.
enum Schema {
    /// `clkr`: marks a database as ours (SQLite's `application_id`).
    static let applicationID: Int32 = 0x636C_6B72

    /// The number of the last migration, kept as SQLite's `user_version`.
    static let version: Int32 = 1

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
        return migrator
    }
}
