import Formats
import Secrets

/// The work on one document: read it, take its text out, cut it, embed it.
struct DocumentWork: Sendable {
    let ingestion: Ingestion
    let reader: any SourceReader
    let extractor: any TextExtractor
    let cutting: TextCutting
    let maxDocumentBytes: Int

    /// Works on an item until only its outcome is to be kept.
    func outcome(
        of queued: QueuedItem, at place: Place
    ) async throws(IngestionPlan.Stop) -> ItemOutcome {
        let reading: ItemReading
        do throws(SourceFault) {
            reading = try await read(queued)
        } catch {
            return try failed(error, queued.item)
        }
        var outcome = try await outcome(of: reading, queued, at: place)
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

    private func failed(
        _ fault: SourceFault, _ item: SourceItem
    ) throws(IngestionPlan.Stop) -> ItemOutcome {
        if Task.isCancelled { throw .dropped }
        guard !item.isWholeSource, let failure = Document.Failure(fault) else { throw .failed(.init(fault)) }
        return ItemOutcome(.failed(failure))
    }

    private func outcome(
        of reading: ItemReading, _ queued: QueuedItem, at place: Place
    ) async throws(IngestionPlan.Stop) -> ItemOutcome {
        switch reading.outcome {
        case .absent where queued.item.isWholeSource: throw .failed(.nothingThere)
        case .absent: return ItemOutcome(.absent)
        case .unchanged where kept(queued) == nil: return ItemOutcome(.failed(.unchangedFromNothing))
        case .unchanged(let version): return ItemOutcome(.unchanged(version))
        case .content(_, let version) where version == kept(queued): return ItemOutcome(.unchanged(nil))
        case .content(let content, _) where content.bytes.count > maxDocumentBytes:
            return ItemOutcome(.failed(.tooLarge(mostBytes: maxDocumentBytes)))
        case .content(let content, let version):
            // While it waits for the embedder, a document keeps its bytes and its text.
            let place = Place(item: place.item, heldBytes: 2 * content.bytes.count, mailbox: place.mailbox)
            return try await WorkPermit.$current.withValue(place) {
                await attempt { () async throws(IngestionPlan.Stop) in
                    try await self.outcome(of: content, version, queued)
                }
            }.get()
        }
    }

    private func outcome(
        of content: SourceContent, _ version: ItemVersion, _ queued: QueuedItem
    ) async throws(IngestionPlan.Stop) -> ItemOutcome {
        let item = queued.item
        let text: ExtractedText
        do throws(Document.Failure) {
            text = try await extractor.extract(content, fileName: item.fileName)
        } catch {
            if Task.isCancelled { throw .dropped }
            return ItemOutcome(.failed(error))
        }
        var document = ReadDocument(
            fileName: name(of: item, title: text.title),
            contentType: content.contentType ?? item.contentType ?? "application/octet-stream",
            sourceURL: item.sourceURL, size: content.bytes.count, version: version, chunkCount: 0, tokenCount: 0)
        let cut: TextCutting.Cut
        do throws(TextCutting.Failure) {
            cut = try await cutting.cut(text, of: queued.id)
        } catch {
            switch error {
            case .text(let failure): return ItemOutcome(.failed(failure))
            case .all(let stop): throw stop
            }
        }
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
