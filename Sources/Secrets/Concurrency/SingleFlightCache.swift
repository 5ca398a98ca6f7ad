/// Values by key: however many want one at once, one call brings it, and it is kept a while.
///
/// `Party` is on whose behalf a call runs: who may not wait for another's call makes one of his own.
package final class SingleFlightCache<
    Key: Hashable & Sendable, Value: Sendable, Failure: Error, Party: Equatable & Sendable
>: Sendable {
    package typealias Fetch = @Sendable () async throws(Failure) -> Value

    /// How long things serve, from the moment they were asked for: what comes may be as old as the question.
    package struct Ages: Sendable {
        /// A value, before it is fetched again.
        package let fresh: Duration
        /// A value, where it cannot be.
        package let stale: Duration
        /// A failure, before it is tried again.
        package let failure: Duration
        /// Between two fetches of a value that is fresh.
        package let refetch: Duration

        package init(fresh: Duration, stale: Duration = .zero, failure: Duration = .zero, refetch: Duration = .zero) {
            self.fresh = fresh
            self.stale = stale
            self.failure = failure
            self.refetch = refetch
        }
    }

    @usableFromInline
    struct Entry: Sendable {
        /// Another one where the key was forgotten and came again.
        let number: Int
        @usableFromInline var value: (Value, at: ContinuousClock.Instant)?
        var failure: (Failure, at: ContinuousClock.Instant)?
        var refetchedAt: ContinuousClock.Instant?
        /// On whose behalf the last call runs; `nil`: everybody's.
        var party: Party?
        @usableFromInline var lastUse: Int

        init(number: Int) {
            self.number = number
            lastUse = number
        }

        @usableFromInline
        func value(within age: Duration, at now: ContinuousClock.Instant) -> Value? {
            value.flatMap { now < $0.at + age ? $0.0 : nil }
        }
    }

    @usableFromInline
    struct State: Sendable {
        @usableFromInline var entries: [Key: Entry] = [:]
        var flights = Flights<Key, Value, Failure>()
        @usableFromInline var uses = 0

        init() {}
    }

    @usableFromInline let state = Locked(State())
    @usableFromInline let ages: Ages
    @usableFromInline let now: @Sendable () -> ContinuousClock.Instant
    private let capacity: Int
    private let isLasting: @Sendable (Failure) -> Bool
    private let servingStale: @Sendable (Key, Failure) -> Void

    /// - Parameters:
    ///   - capacity: entries to keep: keys may be what strangers make up.
    ///   - isLasting: whether a failure says something of who was asked, so that he is not asked again at once.
    ///   - servingStale: told where a call failed and the value of before serves on: whoever waits gets no failure then.
    ///   - now: a clock that nobody sets.
    package init(
        _ ages: Ages, capacity: Int, isLasting: @escaping @Sendable (Failure) -> Bool = { _ in true },
        servingStale: @escaping @Sendable (Key, Failure) -> Void = { _, _ in },
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.ages = ages
        self.capacity = max(capacity, 2)
        self.isLasting = isLasting
        self.servingStale = servingStale
        self.now = now
    }

    package var count: Int { state.withLock { $0.entries.count } }

    /// The value, where it is fresh. For who is on the way of every request: it makes no closure.
    @inlinable
    package func freshValue(for key: Key) -> Value? {
        let now = now()
        return state.withLock { state in
            guard let value = state.entries[key]?.value(within: ages.fresh, at: now) else { return nil }
            state.uses &+= 1
            state.entries[key]?.lastUse = state.uses
            return value
        }
    }

    /// The value for `key`: a fresh one, the running call's, or what `fetch` brings.
    ///
    /// - Parameters:
    ///   - refetching: a fresh value is not good enough, as often as the ages allow.
    ///   - party: on whose behalf a call runs; `nil`: everybody's.
    package func value(
        for key: Key, refetching: Bool = false, for party: Party? = nil, fetch: @escaping Fetch
    ) async throws(Failure) -> Value {
        switch step(for: key, refetching: refetching, party: party, fetch: fetch) {
        case .value(let value): return value
        case .failure(let failure): throw failure
        case .wait(let call):
            switch await call.value {
            case .success(let value): return value
            case .failure(let failure):
                let now = now()
                let kept = state.withLock { $0.entries[key]?.value(within: ages.stale, at: now) }
                guard let kept else { throw failure }
                return kept
            }
        }
    }

    /// Forgets what was fetched. What a running call brings goes to those who wait for it, and to nobody else.
    package func forget(_ key: Key) {
        state.withLock { state in
            state.entries[key] = nil
            state.flights.part(key)
        }
    }

    private enum Step {
        case value(Value)
        case failure(Failure)
        case wait(Flights<Key, Value, Failure>.Call)
    }

    private func step(for key: Key, refetching: Bool, party: Party?, fetch: @escaping Fetch) -> Step {
        let now = now()
        return state.withLock { state in
            makeRoom(for: key, in: &state, at: now)
            state.uses &+= 1
            var entry = state.entries[key] ?? Entry(number: state.uses)
            entry.lastUse = state.uses
            defer { state.entries[key] = entry }

            let fresh = entry.value(within: ages.fresh, at: now)
            if let fresh, !refetching { return .value(fresh) }
            if let running = state.flights[key], entry.party == nil || entry.party == party { return .wait(running) }
            if let fresh, let last = entry.refetchedAt, now < last + ages.refetch { return .value(fresh) }
            if let (failure, at) = entry.failure, now < at + ages.failure {
                return entry.value(within: ages.stale, at: now).map { .value($0) } ?? .failure(failure)
            }
            entry.party = party
            let entryNumber = entry.number
            return .wait(
                state.flights.begin(key) { number in
                    Task {
                        let result: Result<Value, Failure>
                        do throws(Failure) {
                            result = .success(try await fetch())
                        } catch {
                            result = .failure(error)
                        }
                        self.finish(
                            key, result, of: entryNumber, call: number, askedAt: now, wasFresh: fresh != nil)
                        return result
                    }
                })
        }
    }

    private func finish(
        _ key: Key, _ result: Result<Value, Failure>, of entryNumber: Int, call: Int,
        askedAt: ContinuousClock.Instant, wasFresh: Bool
    ) {
        let now = now()
        let hidden: Failure? = state.withLock { state in
            _ = state.flights.end(key, number: call)
            // A party's own call beside another's is as good; one from before the key was forgotten is not.
            guard state.entries[key]?.number == entryNumber else { return nil }
            switch result {
            case .success(let value):
                state.entries[key]?.value = (value, at: askedAt)
                if wasFresh { state.entries[key]?.refetchedAt = askedAt }
                state.entries[key]?.failure = nil
                return nil
            case .failure(let failure):
                guard isLasting(failure) else { return nil }
                state.entries[key]?.failure = (failure, at: now)
                return state.entries[key]?.value(within: ages.stale, at: now) == nil ? nil : failure
            }
        }
        if let hidden { servingStale(key, hidden) }
    }

    /// Gives up what serves no more or, where all does, the entry that was used longest ago; never one that is being
    /// fetched.
    private func makeRoom(for key: Key, in state: inout State, at now: ContinuousClock.Instant) {
        guard state.entries[key] == nil, state.entries.count >= capacity else { return }
        let longest = max(ages.fresh, ages.stale)
        let useless = state.entries.filter { key, entry in
            entry.value(within: longest, at: now) == nil && entry.failure.map { now >= $0.at + ages.failure } ?? true
                && state.flights[key] == nil
        }
        for key in useless.keys { state.entries[key] = nil }
        guard useless.isEmpty else { return }
        let idle = state.entries.filter { state.flights[$0.key] == nil }
        if let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) { state.entries[oldest.key] = nil }
    }
}
