import Assets
import Formats
import GRDB

/// The end of an operation, with all that was not done.
extension Run {
    /// Decides how it ends and writes that, at once with the end of its items. Tells whether there is text to purge.
    func end(_ end: IngestionEnd, at now: Timestamp, in db: Database) throws -> Bool {
        let wasListed = if case .listed = end, !isCancelRequested { true } else { false }
        var tally = Tally()
        if wasListed { tally.counters.itemsProcessed = try takeOpenItemsForAbsent(in: db) }
        var leavesText = try dropOpenItems(&tally, in: db)
        let outcome = OperationOutcome(end, try facts(in: db))
        if outcome.removesVanished, try removeVanished(&tally, in: db) { leavesText = true }
        try tally.add(to: self, at: now, in: db)
        try write(outcome, at: now, in: db)
        for table in ["items", "chosen_documents"] {
            try db.run("DELETE FROM \(table) WHERE operation = ?", .integer(line))
        }
        return leavesText
    }

    private func facts(in db: Database) throws -> OperationOutcome.Facts {
        let facts = try db.first(
            """
            SELECT items_worked, items_failed, first_failure, full_at, is_incomplete, is_cancel_requested
            FROM operations WHERE line = ?
            """, .integer(line)
        ) { row in
            OperationOutcome.Facts(
                worked: Int(row.integer(0)), failed: Int(row.integer(1)),
                firstFailure: row.isNull(2) ? nil : row.text(2),
                fullAt: row.isNull(3) ? nil : Int(row.integer(3)), isIncomplete: row.integer(4) != 0,
                isChosen: isChosen, isCancelRequested: row.integer(5) != 0)
        }
        guard let facts else { throw MalformedRow() }
        return facts
    }

    /// Found before a crash, and not again after it: the source has them no more.
    private func takeOpenItemsForAbsent(in db: Database) throws -> Int {
        try db.run(
            "UPDATE items SET state = \(ItemState.absent.rawValue) WHERE operation = ? AND \(ItemState.isOpen)",
            .integer(line))
        return db.changesCount
    }

    /// Of the items that are not done, or have no document any more: new documents go, and others are what they were.
    private func dropOpenItems(_ tally: inout Tally, in db: Database) throws -> Bool {
        try db.run(
            "INSERT OR IGNORE INTO discarded_texts SELECT line FROM items WHERE operation = ? AND staged_chunks > 0",
            .integer(line))
        let leavesText = db.changesCount > 0
        let open = """
            line IN (SELECT document FROM items WHERE operation = ?
                AND (\(ItemState.isOpen) OR state = \(ItemState.absent.rawValue)))
            """
        try db.run(
            """
            UPDATE documents SET status = 'FAILED'
            WHERE \(open) AND status = 'PROCESSING' AND error_code IS NOT NULL
            """, .integer(line))
        try db.run("DELETE FROM documents WHERE \(open) AND \(KeptDocument.isNew)", .integer(line))
        tally.documents -= db.changesCount
        return leavesText
    }

    /// Removes the documents whose items this operation did not find.
    private func removeVanished(_ tally: inout Tally, in db: Database) throws -> Bool {
        let vanished = try db.all(
            """
            SELECT line, text, chunk_count FROM documents WHERE asset = ? AND NOT EXISTS
                (SELECT 1 FROM items WHERE operation = ? AND key_digest = documents.key_digest
                    AND state <> \(ItemState.absent.rawValue))
            """, .integer(asset), .integer(line)
        ) { (line: $0.integer(0), text: $0.isNull(1) ? nil : $0.integer(1), chunks: Int($0.integer(2))) }
        for document in vanished {
            if let text = document.text, document.chunks > 0 {
                try db.run("INSERT OR IGNORE INTO discarded_texts (text) VALUES (?)", .integer(text))
            }
            try db.run("DELETE FROM documents WHERE line = ?", .integer(document.line))
            tally.chunks -= document.chunks
        }
        tally.documents -= vanished.count
        tally.counters.itemsRemoved += vanished.count
        return !vanished.isEmpty
    }

    private func write(_ outcome: OperationOutcome, at now: Timestamp, in db: Database) throws {
        try db.run(
            """
            UPDATE operations SET updated_at = max(updated_at, ?1), completed_at = max(updated_at, ?1), status = ?2,
                error_code = ?3, error_message = ?4, is_waiting = 0
            WHERE line = ?5
            """, .moment(now), .text(outcome.status.rawValue), .text(outcome.failure?.code.rawValue),
            .text(outcome.failure?.message), .integer(line))
        let vectorizes = outcome.status == .completed
        try db.run(
            """
            UPDATE assets SET status = ?, modified_at = max(modified_at, ?),
                is_vectorized = max(is_vectorized, ? AND model IS NOT NULL)
            WHERE line = ?
            """, .text(outcome.embeddingStatus.rawValue), .moment(now), .integer(vectorizes), .integer(asset))
    }
}
