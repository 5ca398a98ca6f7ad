/// One operation from its start to its end: carries out what its plan says.
struct IngestionRun: Sendable {
    let ingestion: Ingestion
    let limits: IngestionLimits
    let parts: IngestionParts
    let mailbox: Mailbox<IngestionPlan.Event>
    private let store: DurableStore

    init(_ ingestion: Ingestion, _ limits: IngestionLimits, _ parts: IngestionParts) {
        self.ingestion = ingestion
        self.limits = limits
        self.parts = parts
        mailbox = Mailbox()
        store = DurableStore(operation: ingestion.operation.id, parts: parts)
    }

    /// Ends the operation as CANCELLED, from any task.
    func cancel() { mailbox.send(.stops(.cancelled)) }

    /// Runs until the operation has ended, or its task is cancelled: then nothing is marked done that is not.
    func run() async {
        parts.observe(.started(ingestion.operation))
        let stop: IngestionPlan.Stop
        do throws(IngestionPlan.Stop) {
            stop = await run(with: try tools())
        } catch {
            stop = await end(error)
        }
        if case .dropped = stop { parts.observe(.dropped(ingestion.operation.id)) }
    }

    private func run(with tools: IngestionTools) async -> IngestionPlan.Stop {
        await withDiscardingTaskGroup { group in
            var plan = IngestionPlan(
                ingestion, listing: .init(maxDocuments: limits.maxDocuments), bounds: .init(places: limits.documents))
            for step in plan.start(at: parts.steadyNow()) { tools.perform(step, in: &group) }
            while plan.stop == nil, let events = await mailbox.next() {
                for event in events {
                    for step in plan.take(event, at: parts.steadyNow()) { tools.perform(step, in: &group) }
                }
            }
            group.cancelAll()
            // Nobody may wait for a place that is never given.
            for step in plan.drop() { tools.perform(step, in: &group) }
            for event in mailbox.close() {
                for step in plan.take(event, at: parts.steadyNow()) { tools.perform(step, in: &group) }
            }
            // At once: what is in work is refused by the store from here on, however long it takes to notice.
            return await end(plan.stop ?? .dropped)
        }
    }

    /// Keeps the end of the operation, however long the store cannot be written: nobody else would end it.
    private func end(_ stop: IngestionPlan.Stop) async -> IngestionPlan.Stop {
        guard let end = stop.end else { return stop }
        if case .storeLost = stop { parts.observe(.internalError(ingestion.operation.id, .storeLost)) }
        do throws(IngestionPlan.Stop) {
            let ended = try await store.attempt(mostPauses: nil) { store throws(AssetStoreError) in
                try await store.end(ingestion.operation.id, end, at: parts.now())
            }
            parts.observe(ended.map { .ended($0) } ?? .gone(ingestion.operation.id))
            return stop
        } catch {
            return error
        }
    }

    private func tools() throws(IngestionPlan.Stop) -> IngestionTools {
        let source = ingestion.asset.source.type
        guard let reader = parts.readers.reader(for: ingestion, tokens: parts.tokens(ingestion)) else {
            parts.observe(.internalError(ingestion.operation.id, .noReader(sourceType: source)))
            throw .failed(.noReader(of: source))
        }
        let model = ingestion.asset.embedding.model
        let embedder = model.flatMap(parts.embedder)
        if let model, embedder == nil { throw .failed(.modelGone(model)) }
        return IngestionTools(
            ingestion: ingestion, reader: reader, embedder: embedder, limits: limits, parts: parts, store: store,
            mailbox: mailbox)
    }
}

extension IngestionPlan.Stop {
    /// The end to keep; `nil` where there is none.
    fileprivate var end: IngestionEnd? {
        switch self {
        case .listed(let isComplete, let keepsVanished, let isFull):
            .listed(isComplete: isComplete, keepsVanished: keepsVanished, isFull: isFull)
        case .failed(let failure): .failed(failure)
        // Where the store says that it is done, nothing changes; where somebody's wish ended it, it is CANCELLED now.
        case .cancelled, .ended: .cancelled
        case .storeLost: .failed(.storeLost)
        case .dropped: nil
        }
    }
}
