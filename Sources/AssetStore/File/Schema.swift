import GRDB

/// The tables, from the first version on. A migration that was released is never changed.
enum Schema {
    /// `clka`: marks a database as ours (SQLite's `application_id`).
    static let applicationID: Int32 = 0x636C_6B61

    /// The number of the last migration, kept as SQLite's `user_version`.
    static let version: Int32 = 1

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 assets") { db in
            for table in [assets, operations, documents, chunks, items, others] { try db.execute(sql: table) }
            try db.execute(sql: "PRAGMA user_version = 1")
        }
        return migrator
    }

    // A `line` is the order of making, in which rows lie and pages go on. None is given twice, so that a place in a list
    // means the same whatever is deleted.

    private static let assets = """
        CREATE TABLE assets (
            line             INTEGER PRIMARY KEY AUTOINCREMENT,
            id               BLOB NOT NULL UNIQUE,
            tenant           TEXT NOT NULL,
            display_name     TEXT NOT NULL,
            folded_name      TEXT NOT NULL,
            source_type      TEXT NOT NULL,
            parameters       TEXT NOT NULL,
            provider         TEXT,
            model            TEXT,
            chunk_size       INTEGER NOT NULL,
            chunk_overlap    INTEGER NOT NULL,
            llm_config       TEXT,
            status           TEXT NOT NULL,
            is_vectorized    INTEGER NOT NULL,
            document_count   INTEGER NOT NULL,
            chunk_count      INTEGER NOT NULL,
            token_count      INTEGER NOT NULL,
            created_at       INTEGER NOT NULL,
            modified_at      INTEGER NOT NULL,
            created_by       TEXT,
            upload_name      TEXT,
            upload_file_name TEXT,
            upload_type      TEXT,
            upload_size      INTEGER,
            upload_digest    TEXT,
            credentials      BLOB
        );
        CREATE INDEX assets_by_tenant ON assets (tenant, line);
        """

    private static let operations = """
        CREATE TABLE operations (
            line                INTEGER PRIMARY KEY AUTOINCREMENT,
            id                  BLOB NOT NULL UNIQUE,
            asset               INTEGER NOT NULL,
            tenant              TEXT NOT NULL,
            kind                TEXT NOT NULL,
            status              TEXT NOT NULL,
            is_waiting          INTEGER NOT NULL,
            is_resumed          INTEGER NOT NULL DEFAULT 0,
            is_cancel_requested INTEGER NOT NULL DEFAULT 0,
            is_forced           INTEGER NOT NULL,
            is_chosen           INTEGER NOT NULL,
            created_at          INTEGER NOT NULL,
            updated_at          INTEGER NOT NULL,
            started_at          INTEGER,
            completed_at        INTEGER,
            items_total         INTEGER NOT NULL DEFAULT 0,
            items_processed     INTEGER NOT NULL DEFAULT 0,
            items_failed        INTEGER NOT NULL DEFAULT 0,
            items_skipped       INTEGER NOT NULL DEFAULT 0,
            items_removed       INTEGER NOT NULL DEFAULT 0,
            chunk_count         INTEGER NOT NULL DEFAULT 0,
            token_count         INTEGER NOT NULL DEFAULT 0,
            items_worked        INTEGER NOT NULL DEFAULT 0,
            first_failure       TEXT,
            is_incomplete       INTEGER NOT NULL DEFAULT 0,
            full_at             INTEGER,
            provider            TEXT,
            model               TEXT,
            error_code          TEXT,
            error_message       TEXT,
            created_by          TEXT
        );
        CREATE INDEX operations_by_asset ON operations (asset, line);
        CREATE INDEX operations_waiting ON operations (status DESC, line, tenant) WHERE is_waiting = 1;
        CREATE INDEX operations_waiting_by_tenant ON operations (tenant, status DESC, line) WHERE is_waiting = 1;

        CREATE TABLE chosen_documents (
            operation INTEGER NOT NULL,
            document  INTEGER NOT NULL,
            PRIMARY KEY (operation, document)
        ) WITHOUT ROWID;
        """

    private static let documents = """
        CREATE TABLE documents (
            line            INTEGER PRIMARY KEY AUTOINCREMENT,
            id              BLOB NOT NULL UNIQUE,
            asset           INTEGER NOT NULL,
            key_digest      BLOB NOT NULL,
            key             TEXT NOT NULL,
            file_name       TEXT NOT NULL,
            folded_name     TEXT NOT NULL,
            content_type    TEXT,
            source_url      TEXT,
            file_size       INTEGER,
            note            TEXT,
            is_whole_source INTEGER NOT NULL,
            status          TEXT NOT NULL,
            text            INTEGER,
            chunk_count     INTEGER NOT NULL DEFAULT 0,
            token_count     INTEGER NOT NULL DEFAULT 0,
            version         TEXT,
            error_code      TEXT,
            error_message   TEXT,
            created_at      INTEGER NOT NULL,
            modified_at     INTEGER NOT NULL,
            processed_at    INTEGER
        );
        CREATE UNIQUE INDEX documents_by_key ON documents (asset, key_digest);
        CREATE INDEX documents_by_asset ON documents (asset, line);
        """

    // A chunk's line is that of the item whose work made it, and its index: see `TextID`.
    private static let chunks = """
        CREATE TABLE chunks (
            line         INTEGER PRIMARY KEY,
            token_count  INTEGER NOT NULL,
            scalar_start INTEGER NOT NULL,
            scalar_end   INTEGER NOT NULL,
            line_start   INTEGER NOT NULL,
            line_end     INTEGER NOT NULL,
            page         INTEGER,
            heading_path TEXT,
            content      TEXT NOT NULL
        );
        CREATE TABLE vectors (
            line   INTEGER PRIMARY KEY,
            vector BLOB NOT NULL
        );
        CREATE TABLE discarded_texts (
            text INTEGER PRIMARY KEY
        );
        """

    private static let items = """
        CREATE TABLE items (
            line            INTEGER PRIMARY KEY AUTOINCREMENT,
            operation       INTEGER NOT NULL,
            key_digest      BLOB NOT NULL,
            document        INTEGER NOT NULL,
            state           INTEGER NOT NULL,
            crashes         INTEGER NOT NULL DEFAULT 0,
            is_linked       INTEGER NOT NULL,
            staged_chunks   INTEGER NOT NULL DEFAULT 0,
            staged_tokens   INTEGER NOT NULL DEFAULT 0,
            key             TEXT NOT NULL,
            file_name       TEXT NOT NULL,
            content_type    TEXT,
            source_url      TEXT,
            size            INTEGER,
            version         TEXT,
            note            TEXT,
            is_whole_source INTEGER NOT NULL
        );
        CREATE UNIQUE INDEX items_by_key ON items (operation, key_digest);
        """

    private static let others = """
        CREATE TABLE idempotency_keys (
            line           INTEGER PRIMARY KEY,
            tenant         TEXT NOT NULL,
            key            TEXT NOT NULL,
            request_digest BLOB NOT NULL,
            claimed_at     INTEGER NOT NULL,
            asset          BLOB,
            operation      BLOB
        );
        CREATE UNIQUE INDEX idempotency_keys_by_key ON idempotency_keys (tenant, key);
        CREATE INDEX idempotency_keys_by_age ON idempotency_keys (claimed_at);

        CREATE TABLE checks (
            id     INTEGER PRIMARY KEY CHECK (id = 1),
            writes INTEGER NOT NULL
        );
        INSERT INTO checks VALUES (1, 0);
        """
}
