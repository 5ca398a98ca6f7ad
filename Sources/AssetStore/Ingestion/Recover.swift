public import Assets
public import Formats
import GRDB

/// The beginning of a process: what the end of the one before left is put right.
extension SQLiteAssetStore {
    public func recover(at now: Timestamp) async throws(AssetStoreError) {
        let uploads = try await writer.write(isEnding: true) { db in
            try IdempotencyKey.forgetUnended(in: db)
            for line in try db.all("SELECT line FROM operations WHERE status = 'RUNNING'", read: { $0.integer(0) }) {
                guard let run = try Run.find(line: line, in: db) else { continue }
                try run.resume(at: now, in: db)
            }
            return try Upload.storedNames(in: db)
        }
        // Before anything goes on: what is begun again writes to the lines of what was staged before.
        try await purgeAll()
        await self.uploads.sweep(keeping: uploads)
    }
}

extension Run {
    /// The ends of the process that an item may be in work at; after the last, it is taken for their cause.
    private static let mostCrashes = 3

    fileprivate func resume(at now: Timestamp, in db: Database) throws {
        guard !isCancelRequested else {
            _ = try end(.cancelled, at: now, in: db)
            return
        }
        for item in try ItemRow.all(.inWork, of: self, in: db) { try resume(item, at: now, in: db) }
        try db.run(
            "UPDATE items SET state = \(ItemState.waiting.rawValue) WHERE operation = ? AND state = ?", .integer(line),
            .integer(ItemState.given.rawValue))
        try db.run("UPDATE operations SET is_waiting = 1, is_resumed = 1 WHERE line = ?", .integer(line))
    }

    private func resume(_ item: ItemRow, at now: Timestamp, in db: Database) throws {
        try db.run(
            "UPDATE items SET state = ?, crashes = crashes + 1, staged_tokens = 0 WHERE line = ?",
            .integer(ItemState.waiting.rawValue), .integer(item.line))
        guard item.crashes + 1 < Self.mostCrashes else {
            var ending = ItemEnding(item, adding: Tally(), at: now)
            try ending.end(ItemOutcome(.failed(.crashed(item.crashes + 1))), in: db)
            return try ending.tally.add(to: self, at: now, in: db)
        }
        _ = try item.text.discard(item.stagedChunks, from: db)
        try db.run("UPDATE items SET staged_chunks = 0 WHERE line = ?", .integer(item.line))
        try KeptDocument.find(line: item.document, in: db)?.restore(in: db)
    }
}

extension Document.Failure {
    fileprivate static func crashed(_ times: Int) -> Document.Failure {
        Document.Failure(.crashed, "the process ended \(times) times while it was in work, so it is left out")
    }
}
