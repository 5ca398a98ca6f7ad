public import Assets
public import Formats
import GRDB

/// Items that were found, on their way into an operation.
extension SQLiteAssetStore {
    public func add(
        _ items: [SourceItem], to operation: OperationID, mostDocuments: Int, at now: Timestamp
    ) async throws(AssetStoreError) -> ItemAdmission {
        let found = items.map { FoundItem($0, isLinked: false) }
        return try await writer.write(isEnding: true) { db in
            guard let run = try Run.find(operation, in: db), run.goesOn else { return .ended }
            var admission = Admission(run, mostDocuments: mostDocuments, at: now)
            try admission.admit(found, in: db)
            if run.isResumed { try admission.giveLinked(in: db) }
            try admission.tally.add(to: run, at: now, in: db)
            return .added(admission.queued, isFull: admission.tally.fullAt != nil)
        }
    }
}

/// Takes items into an operation, and tells which of them are to be read.
struct Admission {
    let run: Run
    private let mostDocuments: Int
    private let now: Timestamp
    private(set) var queued: [QueuedItem] = []
    var tally = Tally()
    private var documentCount: Int?

    init(_ run: Run, mostDocuments: Int, at now: Timestamp) {
        self.run = run
        self.mostDocuments = mostDocuments
        self.now = now
    }

    mutating func admit(_ found: [FoundItem], in db: Database) throws {
        for item in found { try admit(item, in: db) }
    }

    private mutating func admit(_ found: FoundItem, in db: Database) throws {
        if let row = try ItemRow.find(found.key, of: run, in: db) {
            // As it was listed now: it may have its text with it, which is not kept.
            if row.state == .waiting { try give(row, as: found.item, in: db) }
            return
        }
        let kept = try KeptDocument.find(found.key, ofAsset: run.asset, in: db)
        guard try kept.map({ try isWanted($0, in: db) }) ?? hasRoom(in: db) else { return }
        let document = try kept?.line ?? KeptDocument.insert(found, to: run.asset, at: now, in: db)
        if kept == nil { tally.documents += 1 }
        let id = try ItemRow.insert(found, of: document, to: run, in: db)
        tally.counters.itemsTotal += 1
        queue(id, found.item, kept: kept, crashes: 0)
    }

    /// Of an operation whose documents were chosen, no other is looked at.
    private func isWanted(_ document: KeptDocument, in db: Database) throws -> Bool {
        guard run.isChosen else { return true }
        return try db.first(
            "SELECT 1 FROM chosen_documents WHERE operation = ? AND document = ?", .integer(run.line),
            .integer(document.line)
        ) { _ in true } ?? false
    }

    private mutating func hasRoom(in db: Database) throws -> Bool {
        guard !run.isChosen else { return false }
        let before =
            try documentCount
            ?? db.first("SELECT document_count FROM assets WHERE line = ?", .integer(run.asset)) { Int($0.integer(0)) }
            ?? 0
        documentCount = before
        // With those that the same commit removed or added.
        guard before + tally.documents < mostDocuments else {
            tally.fullAt = mostDocuments
            return false
        }
        return true
    }

    private mutating func give(_ row: ItemRow, as item: SourceItem, in db: Database) throws {
        let kept = try KeptDocument.find(line: row.document, in: db)
        try row.set(.given, in: db)
        queue(ItemID(row.line), item, kept: kept, crashes: row.crashes)
    }

    private mutating func queue(_ id: ItemID, _ item: SourceItem, kept: KeptDocument?, crashes: Int) {
        let version = item.version == nil ? nil : kept?.version
        queued.append(QueuedItem(id: id, item: item, keptVersion: version, crashes: crashes))
    }

    /// Gives what other items had led to before a crash: those are done, and do not lead to it again.
    mutating func giveLinked(in db: Database) throws {
        for row in try ItemRow.all(.waiting, of: run, in: db) where row.isLinked {
            try give(row, as: row.item, in: db)
        }
        try db.run("UPDATE operations SET is_resumed = 0 WHERE line = ?", .integer(run.line))
    }
}
