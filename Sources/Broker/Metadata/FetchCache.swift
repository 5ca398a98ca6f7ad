import Transport

/// Keeps what was fetched, by what it was fetched for. However many ask at once, one fetches.
actor FetchCache<Value: Sendable> {
    typealias Fetch = @Sendable () async throws(ProviderDirectoryError) -> Value

    private struct Entry {
        var value: (Value, at: ContinuousClock.Instant)?
        var failure: (ProviderDirectoryError, at: ContinuousClock.Instant)?
        /// When a fetch that was made though it was fresh brought a value.
        var searchedAt: ContinuousClock.Instant?
        var running: Task<Result<Value, ProviderDirectoryError>, Never>?
        /// In whose turn it runs.
        var account = Cause.Account.broker

        /// The fetch that runs, where it can be waited for: another tenant's waits behind whatever he has begun.
        func running(for account: Cause.Account) -> Task<Result<Value, ProviderDirectoryError>, Never>? {
            self.account == .broker || self.account == account ? running : nil
        }
        var lastUse = 0

        /// The value, where it is younger than `seconds`.
        func value(within seconds: Int64, at now: ContinuousClock.Instant) -> Value? {
            value.flatMap { isWithin(seconds, of: $0.at, now) ? $0.0 : nil }
        }
    }

    private var entries: [String: Entry] = [:]
    private var uses = 0
    private let freshFor: Int64
    private let keptFor: Int64
    private let now: @Sendable () -> ContinuousClock.Instant
    private let stale: @Sendable (_ key: String, ProviderDirectoryError) -> Void

    /// Parameters of a flow may be part of an issuer, so their number is not up to us.
    static var limit: Int { 1000 }
    /// Seconds.
    private static var searchInterval: Int64 { 60 }
    /// A provider that is down is not asked by every flow.
    private static var failureLasts: Int64 { 10 }

    /// - Parameters:
    ///   - freshFor: seconds that a value serves before it is fetched again.
    ///   - keptFor: seconds that it serves where it cannot be.
    ///   - stale: told where a fetch failed and the value of before serves on: whoever waits gets no error then.
    init(
        freshFor: Int64, keptFor: Int64, now: @escaping @Sendable () -> ContinuousClock.Instant,
        stale: @escaping @Sendable (_ key: String, ProviderDirectoryError) -> Void = { _, _ in }
    ) {
        self.stale = stale
        self.freshFor = freshFor
        self.keptFor = keptFor
        self.now = now
    }

    var count: Int { entries.count }

    /// - Parameters:
    ///   - searching: a fresh value is not good enough, once a minute.
    ///   - account: in whose turn a fetch runs.
    func value(
        for key: String, searching: Bool = false, in account: Cause.Account = .broker, fetch: @escaping Fetch
    ) async throws(ProviderDirectoryError) -> Value {
        let now = now()
        makeRoom(for: key)
        uses += 1
        entries[key, default: Entry()].lastUse = uses
        let entry = entries[key] ?? Entry()

        let fresh = entry.value(within: freshFor, at: now)
        if let fresh, !searching { return fresh }
        let running: Task<Result<Value, ProviderDirectoryError>, Never>
        if let other = entry.running(for: account) {
            running = other
        } else if let fresh, let last = entry.searchedAt, isWithin(Self.searchInterval, of: last, now) {
            return fresh
        } else if let failure = entry.failure, isWithin(Self.failureLasts, of: failure.at, now) {
            return try kept(entry, or: failure.0)
        } else {
            running = start(key, searching: fresh != nil, in: account, fetch)
        }
        switch await running.value {
        case .success(let value): return value
        case .failure(let error): return try kept(entry, or: error)
        }
    }

    /// The fetch belongs to nobody who waits for it: a caller that gives up does not end it for the others.
    private func start(
        _ key: String, searching: Bool, in account: Cause.Account, _ fetch: @escaping Fetch
    ) -> Task<Result<Value, ProviderDirectoryError>, Never> {
        // What comes may be as old as the question.
        let askedAt = now()
        let task = Task { () -> Result<Value, ProviderDirectoryError> in
            let result: Result<Value, ProviderDirectoryError>
            do throws(ProviderDirectoryError) {
                result = .success(try await fetch())
            } catch {
                result = .failure(error)
            }
            finish(key, result, askedAt: askedAt, searching: searching)
            return result
        }
        entries[key]?.running = task
        entries[key]?.account = account
        return task
    }

    private func finish(
        _ key: String, _ result: Result<Value, ProviderDirectoryError>, askedAt: ContinuousClock.Instant,
        searching: Bool
    ) {
        switch result {
        case .success(let value):
            entries[key]?.value = (value, at: askedAt)
            if searching { entries[key]?.searchedAt = askedAt }
            entries[key]?.failure = nil
        // Nobody was asked: that one tenant has no turn says nothing of the provider.
        case .failure(.transport(.rateLimited)), .failure(.transport(.cancelled)), .failure(.transport(.overloaded)):
            break
        case .failure(let error):
            entries[key]?.failure = (error, at: now())
            if entries[key]?.value(within: keptFor, at: now()) != nil { stale(key, error) }
        }
        entries[key]?.running = nil
    }

    /// The value at hand, where it still serves.
    private func kept(_ entry: Entry, or error: ProviderDirectoryError) throws(ProviderDirectoryError) -> Value {
        guard let value = entry.value(within: keptFor, at: now()) else { throw error }
        return value
    }

    /// Gives up the entry that was used longest ago; never one that is being fetched.
    private func makeRoom(for key: String) {
        guard entries[key] == nil, entries.count >= Self.limit else { return }
        let idle = entries.filter { $0.value.running == nil }
        if let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) { entries[oldest.key] = nil }
    }
}

private func isWithin(
    _ seconds: Int64, of moment: ContinuousClock.Instant, _ now: ContinuousClock.Instant
) -> Bool {
    now < moment + .seconds(seconds)
}
