/// Decides what one operation does next, from what became of what it did: nothing here waits, reads or writes.
struct IngestionPlan: Sendable {
    private(set) var stop: Stop?
    private var listing: ListingProgress
    private let bounds: Bounds
    private let ingestion: Ingestion
    private var isFull = false

    /// All items that were ever queued: one that is found again is not read again.
    private var taken: Set<ItemID> = []
    private var fresh = Queue<QueuedItem>()
    /// Items that were in work at one end of the process: not marked before they have a place.
    private var interrupted = Queue<QueuedItem>()
    /// Items that were in work at several, and fail at the next one.
    private var suspects = Queue<QueuedItem>()
    private var settling = Queue<(QueuedItem, ItemOutcome)>()
    private var queuedBytes = 0

    private var pace = BeginPace()
    private var isBeginning = false
    private var ready = Queue<QueuedItem>()
    /// The suspect that has a place. Only one has, so that of several only the one fails that ends the process.
    private var suspect: ItemID?

    private var documents = OpenDocuments()
    private var turns = Queue<(ItemID, Place.Turn)>()
    private var isAddingMissing = false

    init(_ ingestion: Ingestion, listing: ListingProgress.Bounds, bounds: Bounds) {
        self.ingestion = ingestion
        self.listing = ListingProgress(chosen: ingestion.chosen, bounds: listing)
        self.bounds = bounds
    }

    /// The first steps of all.
    mutating func start(at now: ContinuousClock.Instant) -> [Step] { next(at: now) }

    /// Takes in what happened, and gives what is to be done now.
    mutating func take(_ event: Event, at now: ContinuousClock.Instant) -> [Step] {
        note(event)
        return stop == nil ? next(at: now) : leave()
    }

    /// Ends without an end: the service stops.
    mutating func drop() -> [Step] {
        stop = stop ?? .dropped
        return leave()
    }

    /// Lets go on whoever waits for a place, since there is nothing more to wait for.
    private mutating func leave() -> [Step] {
        var steps: [Step] = []
        while let (_, turn) = turns.popFirst() { steps.append(.goOn(turn)) }
        return steps
    }
}

// MARK: what happened

extension IngestionPlan {
    private mutating func note(_ event: Event) {
        switch event {
        case .found(let items, let isFull):
            queue(items)
            self.isFull = self.isFull || isFull
            if isFull, !ingestion.knowsItems { listing.cut() }
        case .foundMissing(let items):
            isAddingMissing = false
            for item in items where taken.insert(item.id).inserted { settling.append((item, outcomeOfMissing)) }
        case .listed(let page): listing.take(page)
        case .begun(let items):
            isBeginning = false
            for item in items { ready.append(item) }
        case .paused(let item, let bytes):
            documents.pause(item, heldBytes: bytes)
            if suspect == item { suspect = nil }
        case .wantsPlace(let item, let turn): turns.append((item, turn))
        case .leftPlace(let item): leavePlace(item)
        case .finished(let items, let found, let isFull):
            for item in items {
                leavePlace(item)
                documents.end(item)
            }
            queue(found)
            self.isFull = self.isFull || isFull
        case .stops(let stop): self.stop = self.stop ?? stop
        }
    }

    private mutating func queue(_ items: [QueuedItem]) {
        for queued in items where taken.insert(queued.id).inserted {
            let version = queued.item.version
            if !ingestion.isForced, version != nil, version == queued.keptVersion {
                settling.append((queued, ItemOutcome(.unchanged(nil))))
                continue
            }
            queuedBytes += queued.item.content?.bytes.count ?? 0
            switch queued.crashes {
            case 0: fresh.append(queued)
            case 1: interrupted.append(queued)
            default: suspects.append(queued)
            }
        }
    }

    private mutating func leavePlace(_ item: ItemID) {
        guard documents.leave(item) else { return }
        pace.documentDone()
        if suspect == item { suspect = nil }
    }

    /// The store keeps a chosen document even so: only a refresh of all removes any.
    private var outcomeOfMissing: ItemOutcome { ItemOutcome(listing.keepsVanished ? .unchanged(nil) : .absent) }
}

// MARK: what is to be done

extension IngestionPlan {
    private mutating func next(at now: ContinuousClock.Instant) -> [Step] {
        var steps: [Step] = []
        giveTurns(&steps)
        readReady(&steps)
        settle(&steps)
        begin(&steps, at: now)
        list(&steps)
        if steps.isEmpty, isDone {
            stop = .listed(
                isComplete: listing.isComplete && !isFull && ingestion.chosen == nil,
                keepsVanished: listing.keepsVanished, isFull: isFull)
        }
        return steps
    }

    private var hasRoom: Bool { documents.count < bounds.places + bounds.besides }
    private var mayStart: Bool { hasRoom && documents.pausedBytes < bounds.pausedBytes }
    private var freePlaces: Int { max(bounds.places - documents.working, 0) }

    private mutating func giveTurns(_ steps: inout [Step]) {
        var waiting = Queue<(ItemID, Place.Turn)>()
        while let (item, turn) = turns.popFirst() {
            guard !documents.needsPlace(item) || freePlaces > 0 else {
                waiting.append((item, turn))
                continue
            }
            documents.goOn(item)
            steps.append(.goOn(turn))
        }
        turns = waiting
    }

    private mutating func readReady(_ steps: inout [Step]) {
        while freePlaces > 0, mayStart, let queued = ready.popFirst() {
            queuedBytes -= queued.item.content?.bytes.count ?? 0
            documents.start(queued.id)
            steps.append(.read(queued))
        }
    }

    private mutating func settle(_ steps: inout [Step]) {
        while hasRoom, let (queued, outcome) = settling.popFirst() {
            documents.settle(queued.id)
            steps.append(.settle(queued, outcome))
        }
    }

    private mutating func begin(_ steps: inout [Step], at now: ContinuousClock.Instant) {
        guard !isBeginning, mayStart else { return }
        let free = freePlaces - ready.count
        var items: [QueuedItem] = []
        if suspect == nil, free > 0, let queued = suspects.popFirst() {
            suspect = queued.id
            items.append(queued)
        } else if !interrupted.isEmpty {
            while items.count < free, let queued = interrupted.popFirst() { items.append(queued) }
        } else if free > 0 || ready.count <= pace.ahead / 2 {
            let wanted = max(free, pace.ahead - ready.count)
            while items.count < wanted, let queued = fresh.popFirst() { items.append(queued) }
        }
        guard !items.isEmpty else { return }
        isBeginning = true
        pace.begins(at: now)
        steps.append(.begin(items))
    }

    private mutating func list(_ steps: inout [Step]) {
        switch listing.state {
        case .reads: break
        case .mayGoOn(let cursor):
            guard fresh.count + settling.count < bounds.queuedItems, queuedBytes < bounds.queuedBytes else { return }
            listing.goOn()
            steps.append(.list(after: cursor))
        case .isOver:
            let missing = listing.takeMissing()
            guard !missing.isEmpty else { return }
            isAddingMissing = true
            steps.append(.addMissing(missing))
        }
    }

    private var isDone: Bool {
        guard case .isOver = listing.state else { return false }
        let hasQueued = !(fresh.isEmpty && interrupted.isEmpty && suspects.isEmpty && settling.isEmpty && ready.isEmpty)
        return documents.count == 0 && !hasQueued && !isBeginning && !isAddingMissing
    }
}
