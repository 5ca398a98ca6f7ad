public import Assets
public import Formats
import GRDB

/// The end of the work on an item.
extension SQLiteAssetStore {
    public func finish(
        _ items: [FinishedItem], of operation: OperationID, mostDocuments: Int, at now: Timestamp
    ) async throws(AssetStoreError) -> ItemAdmission {
        let found = items.map { $0.outcome.found.map { FoundItem($0, isLinked: true) } }
        let (admission, leavesText) = try await writer.write(isEnding: true) { db -> (ItemAdmission, Bool) in
            guard let run = try Run.find(operation, in: db), run.goesOn else { return (.ended, false) }
            var admission = Admission(run, mostDocuments: mostDocuments, at: now)
            var leavesText = false
            for (item, found) in zip(items, found) {
                guard let row = try ItemRow.find(item.id, of: run, in: db), row.isOpen else { continue }
                var ending = ItemEnding(row, adding: admission.tally, at: now)
                try ending.end(item.outcome, in: db)
                admission.tally = ending.tally
                leavesText = leavesText || ending.leavesText
                try admission.admit(found, in: db)
            }
            try admission.tally.add(to: run, at: now, in: db)
            return (.added(admission.queued, isFull: admission.tally.fullAt != nil), leavesText)
        }
        if leavesText { await purge() }
        return admission
    }
}

/// What becomes of an item, its document and its chunks.
struct ItemEnding {
    private let item: ItemRow
    private let now: Timestamp
    private(set) var tally: Tally
    /// There is text to purge.
    private(set) var leavesText = false

    init(_ item: ItemRow, adding tally: Tally, at now: Timestamp) {
        self.item = item
        self.tally = tally
        self.now = now
    }

    mutating func end(_ outcome: ItemOutcome, in db: Database) throws {
        tally.isIncomplete = tally.isIncomplete || outcome.isIncomplete
        // A document that was deleted meanwhile does not come back, and its answers are not kept.
        guard let document = try KeptDocument.find(line: item.document, in: db) else {
            tally.counters.itemsProcessed += 1
            return try over(.absent, in: db)
        }
        tally.counters.tokenCount += min(max(outcome.tokensSpent, 0), 1 << 40)
        switch outcome.result {
        case .completed(let read, let last): try complete(document, read, last, in: db)
        case .unchanged(let version): try keep(document, version, in: db)
        case .failed(let failure): try fail(document, failure, in: db)
        case .absent: try miss(document, in: db)
        }
    }

    /// Turns the document to its new text.
    private mutating func complete(
        _ document: KeptDocument, _ read: ReadDocument, _ last: [StagedChunk], in db: Database
    ) throws {
        try item.text.insert(last, into: db)
        let chunks = item.stagedChunks + last.count
        try db.run(
            """
            UPDATE documents SET status = 'COMPLETED', text = ?, chunk_count = ?, token_count = ?, file_name = ?,
                folded_name = ?, content_type = ?, source_url = ?, file_size = ?, version = ?, note = ?,
                is_whole_source = ?, error_code = NULL, error_message = NULL, modified_at = max(modified_at, ?),
                processed_at = ?
            WHERE line = ?
            """, .integer(item.line), .integer(chunks), .integer(item.stagedTokens + last.tokenCount),
            .text(read.fileName), .text(FoldedText(read.fileName).text), .text(read.contentType), .text(read.sourceURL),
            .integer(read.size), .text(read.version.text), .text(item.item.note), .integer(item.item.isWholeSource),
            .moment(now), .moment(now), .integer(document.line))
        if let text = document.text { leavesText = try text.discard(document.chunkCount, from: db) }
        try item.set(.read, isOver: true, in: db)
        tally.counters.itemsProcessed += 1
        tally.counters.chunkCount += chunks
        tally.chunks += chunks - document.chunkCount
        tally.worked += 1
    }

    /// Its text is that of the source. Where a reading failed since, that no longer matters.
    private mutating func keep(_ document: KeptDocument, _ version: ItemVersion?, in db: Database) throws {
        guard document.hasText else { return try miss(document, in: db) }
        try db.run(
            """
            UPDATE documents SET version = coalesce(?1, version), processed_at = iif(status = 'COMPLETED', processed_at, ?2),
                modified_at = iif(status = 'COMPLETED', modified_at, max(modified_at, ?2)), status = 'COMPLETED',
                error_code = NULL, error_message = NULL
            WHERE line = ?3
            """, .text(version?.text), .moment(now), .integer(document.line))
        tally.counters.itemsProcessed += 1
        tally.counters.itemsSkipped += 1
        tally.worked += 1
        try over(.unchanged, in: db)
    }

    private mutating func fail(_ document: KeptDocument, _ failure: Document.Failure, in db: Database) throws {
        try db.run(
            """
            UPDATE documents SET status = 'FAILED', error_code = ?, error_message = ?, modified_at = max(modified_at, ?)
            WHERE line = ?
            """, .text(failure.code.rawValue), .text(failure.message), .moment(now), .integer(document.line))
        tally.countFailure(failure, of: item.item.fileName)
        // Only items that others lead to can have led to more.
        if item.isLinked, failure.leftUnread { tally.isIncomplete = true }
        try over(.failed, in: db)
    }

    /// There is no document. A new one goes; one of before stays until the listing is known to be complete.
    private mutating func miss(_ document: KeptDocument, in db: Database) throws {
        if document.isNew {
            try db.run("DELETE FROM documents WHERE line = ?", .integer(document.line))
            tally.documents -= 1
        } else {
            try document.restore(in: db)
        }
        tally.counters.itemsProcessed += 1
        try over(.absent, in: db)
    }

    private mutating func over(_ state: ItemState, in db: Database) throws {
        if item.stagedChunks > 0 { leavesText = try item.text.discard(item.stagedChunks, from: db) }
        try item.set(state, isOver: true, in: db)
    }
}
