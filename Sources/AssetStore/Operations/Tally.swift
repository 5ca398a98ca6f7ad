import Assets
import Formats
import GRDB

/// The numbers that one commit adds to those of an operation and its asset.
struct Tally {
    var counters = AssetOperation.Counters()
    /// Items whose document was read or skipped.
    var worked = 0
    /// The document that failed, and why. Kept where it is the operation's first.
    var firstFailure: String?
    var isIncomplete = false
    /// The most documents of the asset, where one more was left out for it.
    var fullAt: Int?
    /// Of the asset, which may lose some too.
    var documents = 0
    /// Of the asset, likewise.
    var chunks = 0

    private static let toOperation = """
        UPDATE operations SET updated_at = max(updated_at, ?), items_total = items_total + ?,
            items_processed = items_processed + ?, items_failed = items_failed + ?, items_skipped = items_skipped + ?,
            items_removed = items_removed + ?, chunk_count = chunk_count + ?, token_count = token_count + ?,
            items_worked = items_worked + ?, first_failure = coalesce(first_failure, ?),
            is_incomplete = max(is_incomplete, ?), full_at = coalesce(full_at, ?)
        WHERE line = ?
        """
    private static let toAsset = """
        UPDATE assets SET document_count = document_count + ?, chunk_count = chunk_count + ?,
            token_count = token_count + ?
        WHERE line = ?
        """

    func add(to run: Run, at now: Timestamp, in db: Database) throws {
        try db.run(
            Self.toOperation, .moment(now), .integer(counters.itemsTotal), .integer(counters.itemsProcessed),
            .integer(counters.itemsFailed), .integer(counters.itemsSkipped), .integer(counters.itemsRemoved),
            .integer(counters.chunkCount), .integer(counters.tokenCount), .integer(worked), .text(firstFailure),
            .integer(isIncomplete), .integer(fullAt), .integer(run.line))
        guard documents != 0 || chunks != 0 || counters.tokenCount != 0 else { return }
        try db.run(
            Self.toAsset, .integer(documents), .integer(chunks), .integer(counters.tokenCount), .integer(run.asset))
    }

    mutating func countFailure(_ failure: Document.Failure, of fileName: String) {
        counters.itemsProcessed += 1
        counters.itemsFailed += 1
        firstFailure = firstFailure ?? "\(fileName.quoted): \(failure.message.prefix(bytes: 1024))"
    }
}
