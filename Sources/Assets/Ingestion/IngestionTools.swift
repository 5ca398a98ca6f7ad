/// Carries out the steps of one operation, each in a task of its own, and sends its plan what came of them.
struct IngestionTools: Sendable {
    private let ingestion: Ingestion
    private let reader: any SourceReader
    private let work: DocumentWork
    private let limits: IngestionLimits
    private let parts: IngestionParts
    private let store: DurableStore
    private let mailbox: Mailbox<IngestionPlan.Event>
    private let chosenKeys: Set<String>?
    private let outcomes = WaitingOutcomes()

    /// Outcomes up to this many bytes are written down while the next documents are read.
    private static let smallOutcome = 32_768
    /// More in one commit would hold up other operations.
    private static let itemsOfOneCommit = 256
    /// The time that outcomes have to become more before they are written down.
    private static let growth: Duration = .milliseconds(4)

    init(
        ingestion: Ingestion, reader: any SourceReader, embedder: (any Embedder)?, limits: IngestionLimits,
        parts: IngestionParts, store: DurableStore, mailbox: Mailbox<IngestionPlan.Event>
    ) {
        self.ingestion = ingestion
        self.reader = reader
        self.limits = limits
        self.parts = parts
        self.store = store
        self.mailbox = mailbox
        chosenKeys = ingestion.chosen.map { Set($0.map(\.key)) }
        work = DocumentWork(
            ingestion: ingestion, reader: reader, extractor: parts.extractor,
            cutting: TextCutting(ingestion.asset.embedding, embedder: embedder, store: store),
            maxDocumentBytes: limits.maxDocumentBytes)
    }

    private var operation: OperationID { ingestion.operation.id }

    func perform(_ step: IngestionPlan.Step, in group: inout DiscardingTaskGroup) {
        switch step {
        case .goOn(let turn): turn.come()
        case .list(let cursor):
            start(in: &group) { () async throws(IngestionPlan.Stop) in try await list(after: cursor) }
        case .addMissing(let items):
            start(in: &group) { () async throws(IngestionPlan.Stop) in
                var missing: [QueuedItem] = []
                for part in items.parts(of: Self.itemsOfOneCommit) { missing += try await add(part).items }
                mailbox.send(.foundMissing(missing))
            }
        case .begin(let items): start(in: &group) { () async throws(IngestionPlan.Stop) in try await begin(items) }
        case .read(let queued):
            start(in: &group) { () async throws(IngestionPlan.Stop) in try await read(queued) }
        case .settle(let queued, let outcome):
            start(in: &group) { () async throws(IngestionPlan.Stop) in try await finish(queued, outcome) }
        }
    }

    private func start(
        in group: inout DiscardingTaskGroup, _ body: @escaping @Sendable () async throws(IngestionPlan.Stop) -> Void
    ) {
        group.addTask {
            do throws(IngestionPlan.Stop) { try await body() } catch { mailbox.send(.stops(error)) }
        }
    }

    // MARK: the steps

    private func list(after cursor: ListingCursor?) async throws(IngestionPlan.Stop) {
        let page: ListingPage
        if let chosen = ingestion.chosen, !reader.listsChosenItems {
            page = ListingPage(items: chosen)
        } else {
            do throws(SourceFault) {
                page = try await reader.list(after: cursor)
            } catch {
                throw Task.isCancelled ? .dropped : .failed(.init(error))
            }
        }
        let wanted = chosenKeys.map { keys in page.items.filter { keys.contains($0.key) } } ?? page.items
        for part in wanted.parts(of: Self.itemsOfOneCommit) {
            let (items, isFull) = try await add(part)
            mailbox.send(.found(items, isFull: isFull))
            if isFull, !ingestion.knowsItems { break }
        }
        mailbox.send(.listed(ListingProgress.Page(page)))
    }

    private func add(
        _ items: [SourceItem]
    ) async throws(IngestionPlan.Stop) -> (items: [QueuedItem], isFull: Bool) {
        try await store.admit { store throws(AssetStoreError) in
            try await store.add(items, to: operation, mostDocuments: limits.maxDocuments, at: parts.now())
        }
    }

    private func begin(_ items: [QueuedItem]) async throws(IngestionPlan.Stop) {
        let ids = items.map(\.id)
        let beginning = try await store.attempt { store throws(AssetStoreError) in
            try await store.begin(ids, of: operation, at: parts.now())
        }
        guard case .begun(let versions) = beginning else { throw .ended }
        var items = items
        for index in items.indices { items[index].keptVersion = versions[items[index].id] }
        mailbox.send(.begun(items))
    }

    private func read(_ queued: QueuedItem) async throws(IngestionPlan.Stop) {
        let place = Place(item: queued.id, heldBytes: queued.item.content?.bytes.count ?? 0, mailbox: mailbox)
        let outcome = try await WorkPermit.$current.withValue(place) {
            await attempt { () async throws(IngestionPlan.Stop) in
                try await work.outcome(of: queued, at: place)
            }
        }.get()
        // A large one holds its place until it is written down, so that no more than places are in memory.
        if outcome.size <= Self.smallOutcome { mailbox.send(.leftPlace(queued.id)) }
        try await finish(queued, outcome)
    }

    /// Keeps an outcome, with those that came while others were being written down.
    private func finish(_ queued: QueuedItem, _ outcome: ItemOutcome) async throws(IngestionPlan.Stop) {
        guard outcomes.add(FinishedItem(queued.id, outcome)) else { return }
        while true {
            if outcomes.mayGrow { try? await parts.sleep(Self.growth) }
            guard let items = outcomes.next() else { return }
            let (found, isFull) = try await store.admit { store throws(AssetStoreError) in
                try await store.finish(items, of: operation, mostDocuments: limits.maxDocuments, at: parts.now())
            }
            for item in items { parts.observe(.documentDone(operation, item.outcome)) }
            mailbox.send(.finished(items.map(\.id), found, isFull: isFull))
        }
    }
}

/// A result of what throws, for closures whose caller does not hand on the type of an error.
func attempt<Success>(
    _ body: () async throws(IngestionPlan.Stop) -> Success
) async -> Result<Success, IngestionPlan.Stop> {
    do throws(IngestionPlan.Stop) { return .success(try await body()) } catch { return .failure(error) }
}

extension Array {
    /// The elements in order, so many at a time.
    fileprivate func parts(of count: Int) -> some Sequence<[Element]> {
        stride(from: 0, to: self.count, by: count).lazy.map { Array(self[$0..<Swift.min($0 + count, self.count)]) }
    }
}

extension ListingProgress.Page {
    fileprivate init(_ page: ListingPage) {
        next = page.next
        isIncomplete = page.isIncomplete
        keepsVanished = page.keepsVanished
        keys = page.items.map(\.key)
    }
}

extension IngestionEvent {
    fileprivate static func documentDone(_ operation: OperationID, _ outcome: ItemOutcome) -> Self {
        switch outcome.result {
        case .completed(let document, _):
            .documentDone(operation, .completed, chunks: document.chunkCount, tokens: outcome.tokensSpent)
        case .unchanged: .documentDone(operation, .unchanged, chunks: 0, tokens: 0)
        case .failed(let failure): .documentDone(operation, .failed(failure.code), chunks: 0, tokens: 0)
        case .absent: .documentDone(operation, .absent, chunks: 0, tokens: 0)
        }
    }
}
