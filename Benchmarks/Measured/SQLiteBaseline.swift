import Foundation

/// A copy of the broker's table of credential keys, and SQLite alone deleting from it as durably as the broker does.
struct SQLiteBaseline {
    private let database: SQLite

    /// Copies table, indices and rows, so that this stays true when the broker's table changes.
    init(copying source: String, to path: String) throws {
        database = try SQLite(path)
        try database.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -8000")
        try database.run("ATTACH '\(source)' AS product")
        let statements = try database.texts(
            "SELECT sql FROM product.sqlite_master WHERE tbl_name = 'credential_keys' AND sql IS NOT NULL ORDER BY rootpage"
        )
        for statement in statements { try database.run(statement) }
        try database.run(
            """
            INSERT INTO main.credential_keys SELECT * FROM product.credential_keys;
            DETACH product;
            PRAGMA wal_checkpoint(TRUNCATE);
            PRAGMA secure_delete = ON;
            PRAGMA synchronous = FULL
            """)
    }

    /// Deletes every row by its key, in random order, as a redemption does.
    func deleteAll(inOneCommit most: Int) throws -> (rows: Int, seconds: Double) {
        let digests = try database.blobs("SELECT digest FROM credential_keys").shuffled()
        guard let tenant = try database.texts("SELECT tenant FROM credential_keys LIMIT 1").first,
            let challenge = try database.texts("SELECT exchange_challenge FROM credential_keys LIMIT 1").first
        else { throw Trouble("no credential key to delete") }
        let delete = try database.prepare(
            """
            DELETE FROM credential_keys
            WHERE digest = ? AND tenant = ? AND expires_at > ? AND (exchange_challenge IS NULL OR exchange_challenge = ?)
            RETURNING sealed, flow, source_type
            """)
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let began = Clock.seconds()
        var rows = 0
        for start in stride(from: 0, to: digests.count, by: most) {
            try database.run("BEGIN IMMEDIATE")
            for digest in digests[start..<min(start + most, digests.count)] {
                try delete.bind(digest, tenant, now, challenge)
                guard try delete.step() else { throw Trouble("a credential key is not there") }
                rows += delete.bytes(0).isEmpty ? 0 : 1
                _ = (delete.bytes(1), delete.text(2))
                while try delete.step() {}
            }
            try database.run("COMMIT")
        }
        return (rows, Clock.seconds() - began)
    }
}
