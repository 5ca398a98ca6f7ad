/// Runs the operations of all tenants: some at once, the oldest first, and not all of one tenant.
public actor Ingestions {
    private let parts: IngestionParts
    private let limits: IngestionLimits
    private let wakeups: AsyncStream<Void>
    private let wakeup: AsyncStream<Void>.Continuation

    private var running: [OperationID: IngestionRun] = [:]
    /// Wishes to end operations that the store may be giving out just now; `nil` while it gives out none.
    private var wishes: Set<OperationID>?
    private var isStopping = false
    private var hasEnded = true
    private var whenEnded: [CheckedContinuation<Void, Never>] = []

    private static let pauseOfStore: Duration = .seconds(1)
    /// What works then is cut off by the end of the process. CONTRACT-ASSETS: 10 s.
    private static let longestStop: Duration = .seconds(9)

    public init(_ parts: IngestionParts, limits: IngestionLimits) {
        self.parts = parts
        self.limits = limits
        (wakeups, wakeup) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        wakeup.yield()
    }

    /// Takes up what an earlier process left. To be called once, before anything else is asked of the store.
    public func recover() async throws(AssetStoreError) { try await parts.store.recover(at: parts.now()) }

    /// Tells that there may be something to do: an operation was made.
    public nonisolated func wake() { wakeup.yield() }

    /// Ends an operation that runs, after the store was told the wish, or that its asset is gone. No document is begun
    /// any more, and those in work are dropped.
    public func cancel(_ operation: OperationID) {
        wishes?.insert(operation)
        running[operation]?.cancel()
    }

    /// Runs operations until `stop`, or until its task is cancelled.
    public func run() async {
        guard !isStopping else { return }
        hasEnded = false
        await withDiscardingTaskGroup { group in
            for await _ in wakeups { await fill(&group) }
            isStopping = true
            group.cancelAll()
        }
        hasEnded = true
        endWaiting()
    }

    /// Drops what is in work: operations go on at the next start. Returns when nothing works any more, or after 9 s.
    public func stop() async {
        isStopping = true
        wakeup.finish()
        guard !hasEnded else { return }
        let limit = Task {
            try? await parts.sleep(Self.longestStop)
            if !Task.isCancelled { endWaiting() }
        }
        await withCheckedContinuation { whenEnded.append($0) }
        limit.cancel()
    }
}

extension Ingestions {
    /// Starts operations for which there is room.
    private func fill(_ group: inout DiscardingTaskGroup) async {
        wishes = []
        while !isStopping, running.count < limits.operations, let ingestion = await next(&group) {
            let run = IngestionRun(ingestion, limits, parts)
            running[ingestion.operation.id] = run
            if wishes?.contains(ingestion.operation.id) == true { run.cancel() }
            group.addTask {
                await run.run()
                await self.ended(run)
            }
        }
        wishes = nil
    }

    private func next(_ group: inout DiscardingTaskGroup) async -> Ingestion? {
        let perTenant = Dictionary(grouping: running.values, by: \.ingestion.operation.tenant)
        let excluded = Set(perTenant.filter { $0.value.count >= limits.operationsOfOneTenant }.keys)
        do throws(AssetStoreError) {
            return try await parts.store.next(excluding: excluded, at: parts.now())
        } catch {
            guard error != .closed else { return nil }
            parts.observe(.storeFailed(nil, error))
            group.addTask { await self.pause(Self.pauseOfStore) }
            return nil
        }
    }

    private func ended(_ run: IngestionRun) {
        running[run.ingestion.operation.id] = nil
        wake()
    }

    private func pause(_ duration: Duration) async {
        do throws(CancellationError) { try await parts.sleep(duration) } catch { return }
        wake()
    }

    private func endWaiting() {
        for continuation in whenEnded { continuation.resume() }
        whenEnded = []
    }
}
