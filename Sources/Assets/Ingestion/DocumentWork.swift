import Formats
import Secrets

/// The work on one document: read it, take its text out, cut it, embed it.
struct DocumentWork: Sendable {
    let ingestion: Ingestion
    let reader: any SourceReader
    let extractor: any TextExtractor
    let cutting: TextCutting
    let maxDocumentBytes: Int

    /// An item once it was read: its bytes are let go.
    private struct Reading {
        enum Result {
            case text(ExtractedText, ReadDocument)
            /// Nothing is to be cut.
            case over(ItemOutcome.Result)
        }

        var result: Result
        var found: [SourceItem] = []
        var isIncomplete = false
    }

    /// Works on an item until only its outcome is to be kept.
    func outcome(
        of queued: QueuedItem, at place: Place
    ) async throws(IngestionPlan.Stop) -> ItemOutcome {
        let reading = try await reading(of: queued)
        var outcome: ItemOutcome
        switch reading.result {
        case .over(let result): outcome = ItemOutcome(result)
        case .text(let text, let document):
            // While it waits for the embedder, a document keeps its text.
            let place = Place(
                item: place.item, heldBytes: place.heldBytes + text.bytes.count, mailbox: place.mailbox)
            outcome = try await WorkPermit.$current.withValue(place) {
                await attempt { () async throws(IngestionPlan.Stop) in
                    try await self.outcome(of: text, document, queued.id)
                }
            }.get()
        }
        outcome.found = isChosen ? [] : reading.found
        outcome.isIncomplete = reading.isIncomplete
        return outcome
    }

    private var isChosen: Bool { ingestion.chosen != nil }
    private func kept(_ queued: QueuedItem) -> ItemVersion? { ingestion.isForced ? nil : queued.keptVersion }

    private func read(_ queued: QueuedItem) async throws(SourceFault) -> ItemReading {
        guard let content = queued.item.content else {
            return try await reader.read(queued.item, since: kept(queued))
        }
        let version = queued.item.version ?? ItemVersion(Base64URL.encode(Digest(of: content.bytes).bytes))
        return ItemReading(.content(content, version))
    }

    private func reading(of queued: QueuedItem) async throws(IngestionPlan.Stop) -> Reading {
        let read: ItemReading
        do throws(SourceFault) {
            read = try await self.read(queued)
        } catch {
            return Reading(result: .over(.failed(try failure(error, queued.item))))
        }
        let result = try await result(of: read.outcome, queued)
        return Reading(result: result, found: read.found, isIncomplete: read.isIncomplete)
    }

    private func failure(
        _ fault: SourceFault, _ item: SourceItem
    ) throws(IngestionPlan.Stop) -> Document.Failure {
        if Task.isCancelled { throw .dropped }
        guard !item.isWholeSource, let failure = Document.Failure(fault) else { throw .failed(.init(fault)) }
        return failure
    }

    private func result(
        of outcome: ItemReading.Outcome, _ queued: QueuedItem
    ) async throws(IngestionPlan.Stop) -> Reading.Result {
        switch outcome {
        case .absent where queued.item.isWholeSource: throw .failed(.nothingThere)
        case .absent: .over(.absent)
        case .unchanged where kept(queued) == nil: .over(.failed(.unchangedFromNothing))
        case .unchanged(let version): .over(.unchanged(version))
        case .content(_, let version) where version == kept(queued): .over(.unchanged(nil))
        case .content(let content, _) where content.bytes.count > maxDocumentBytes:
            .over(.failed(.tooLarge(mostBytes: maxDocumentBytes)))
        case .content(let content, let version): try await text(of: content, version, queued.item)
        }
    }

    private func text(
        of content: SourceContent, _ version: ItemVersion, _ item: SourceItem
    ) async throws(IngestionPlan.Stop) -> Reading.Result {
        let text: ExtractedText
        do throws(Document.Failure) {
            text = try await extractor.extract(content, fileName: item.fileName)
        } catch {
            if Task.isCancelled { throw .dropped }
            return .over(.failed(error))
        }
        let document = ReadDocument(
            fileName: name(of: item, title: text.title),
            contentType: content.contentType ?? item.contentType ?? "application/octet-stream",
            sourceURL: item.sourceURL, size: content.bytes.count, version: version, chunkCount: 0, tokenCount: 0)
        return .text(text, document)
    }

    private func outcome(
        of text: ExtractedText, _ document: ReadDocument, _ item: ItemID
    ) async throws(IngestionPlan.Stop) -> ItemOutcome {
        let cut: TextCutting.Cut
        do throws(TextCutting.Failure) {
            cut = try await cutting.cut(text, of: item)
        } catch {
            switch error {
            case .text(let failure): return ItemOutcome(.failed(failure))
            case .all(let stop): throw stop
            }
        }
        var document = document
        document.chunkCount = cut.chunkCount
        document.tokenCount = cut.tokenCount
        return ItemOutcome(.completed(document, last: cut.last), tokensSpent: cut.tokensSpent)
    }

    /// Where only reading told the type, the name is no more than the end of an address.
    private func name(of item: SourceItem, title: String?) -> String {
        guard item.contentType == nil, let title, !title.isEmpty else { return item.fileName }
        return title.prefix(bytes: 255)
    }
}
