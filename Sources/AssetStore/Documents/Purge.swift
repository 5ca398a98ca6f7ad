import Assets
import GRDB

/// Deletes texts that nothing refers to any more, in pieces: secure deletion writes each page, and of a large asset that
/// would hold up the commits of all others for seconds.
enum Purge {
    /// The chunks that are deleted in one commit.
    static let mostAtOnce = 1024

    private static let deletions = ["vectors", "chunks"].map {
        """
        DELETE FROM \($0) WHERE line IN (SELECT line FROM chunks WHERE line BETWEEN ? AND ? ORDER BY line LIMIT ?)
        """
    }

    /// Deletes one piece. Tells whether there may be more.
    static func deleteSome(in db: Database) throws -> Bool {
        var room = mostAtOnce
        while let number = try db.first("SELECT text FROM discarded_texts LIMIT 1", read: { $0.integer(0) }) {
            let text = TextID(number: number)
            for deletion in deletions {
                try db.run(deletion, .integer(text.first), .integer(text.last), .integer(room))
            }
            let deleted = db.changesCount
            if deleted < room {
                try db.run("DELETE FROM discarded_texts WHERE text = ?", .integer(number))
            }
            // A text without chunks costs something too.
            room -= max(deleted, 1)
            guard room > 0 else { return true }
        }
        return false
    }
}

extension SQLiteAssetStore {
    /// Returns when all is deleted, or the store cannot be written: then the next purge goes on with it.
    func purge() async { try? await purgeAll() }

    /// Returns when all is deleted.
    func purgeAll() async throws(AssetStoreError) {
        while try await writer.write(isEnding: true, Purge.deleteSome) {}
    }
}
