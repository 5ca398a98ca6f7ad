/// Values by key: however many callers want one at once, one call fetches it, and it is kept for a while.
///
/// `@usableFromInline`, as `Locked` is.
///
/// A `Party` is the one on whose behalf a call runs: a caller who may not wait for another party's call makes its own.
@usableFromInline
package final class SingleFlightCache<
    Key: Hashable & Sendable, Value: Sendable, Failure: Error, Party: Hashable & Sendable
>: Sendable {
    /// Gets a value from its source. Runs in a task of its own, which no caller's cancellation ends.
    package typealias Fetch = @Sendable () async throws(Failure) -> Value

    /// The times for which a result serves. Values count from the start of the call that fetched them, failures from
    /// its end.
    @usableFromInline
    package struct Ages: Sendable {
        /// The time before a value is fetched again.
        @usableFromInline package let fresh: Duration
        /// The time for which a value serves where a new one cannot be fetched; zero or less than `fresh`: it does not.
        package let stale: Duration
        /// The time for which a failure is thrown again without a new call.
        package let failure: Duration
        /// The shortest time between two fetches of a value that is still fresh (see
        /// `value(for:refetching:for:fetch:)`).
        package let refetch: Duration

        /// Zero turns a time off: nothing stale serves, each failure is tried again at once, each refetch is made.
        package init(fresh: Duration, stale: Duration = .zero, failure: Duration = .zero, refetch: Duration = .zero) {
            self.fresh = fresh
            self.stale = stale
            self.failure = failure
            self.refetch = refetch
        }
    }

    @usableFromInline
    struct Entry: Sendable {
        /// Differs where the key was forgotten and came again.
        let number: Int
        @usableFromInline var value: (Value, at: ContinuousClock.Instant)?
        var failure: (Failure, at: ContinuousClock.Instant)?
        var refetchedAt: ContinuousClock.Instant?
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

    /// One call at a time for each key and party.
    @usableFromInline
    struct Lane: Hashable, Sendable {
        let key: Key
        /// `nil`: for everybody.
        let party: Party?
    }

    @usableFromInline
    struct State: Sendable {
        @usableFromInline var entries: [Key: Entry] = [:]
        var flights = Flights<Lane, Value, Failure>()
        @usableFromInline var uses = 0

        init() {}

        /// The call that a party may wait for: everybody's, or its own.
        func call(for key: Key, _ party: Party?) -> Flights<Lane, Value, Failure>.Call? {
            flights[Lane(key: key, party: nil)] ?? flights[Lane(key: key, party: party)]
        }

        /// The keys for which a call runs.
        var fetching: Set<Key> { Set(flights.keys.map(\.key)) }
    }

    @usableFromInline let state = Locked(State())
    @usableFromInline let ages: Ages
    @usableFromInline let now: @Sendable () -> ContinuousClock.Instant
    private let capacity: Int
    private let isLasting: @Sendable (Failure) -> Bool
    private let servingStale: @Sendable (Key, Failure) -> Void

    /// - Parameters:
    ///   - capacity: the most entries to keep, at least 2: strangers may make up keys.
    ///   - isLasting: tells whether a failure says something about the source, so that it is not asked again at once.
    ///   - servingStale: told where a call failed and the earlier value is served on: the callers get no failure then.
    ///   - now: a monotonic clock.
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

    /// The number of entries, those with a failure alone or a running call included. For metrics and tests.
    package var count: Int { state.withLock { $0.entries.count } }

    /// The value, if it is fresh; starts nothing. For the path of every request: it allocates no closure.
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

    /// The value for `key`: a fresh one, the running call's, or the result of `fetch`. Throws its failure, or a recent
    /// one, where no stale value serves.
    ///
    /// - Parameters:
    ///   - refetching: asks for a new fetch of a fresh value, as often as `Ages.refetch` allows.
    ///   - party: the party for which a call runs; `nil`: for everybody.
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

    /// Forgets what was fetched. The result of a running call goes to those who wait for it, and to nobody else.
    package func forget(_ key: Key) {
        state.withLock { state in
            state.entries[key] = nil
            state.flights.part { $0.key == key }
        }
    }

    private enum Step {
        case value(Value)
        case failure(Failure)
        case wait(Flights<Lane, Value, Failure>.Call)
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
            if let running = state.call(for: key, party) { return .wait(running) }
            if let fresh, let last = entry.refetchedAt, now < last + ages.refetch { return .value(fresh) }
            if let (failure, at) = entry.failure, now < at + ages.failure {
                return entry.value(within: ages.stale, at: now).map { .value($0) } ?? .failure(failure)
            }
            let (lane, entryNumber) = (Lane(key: key, party: party), entry.number)
            return .wait(
                state.flights.begin(lane) { number in
                    Task {
                        let result: Result<Value, Failure>
                        do throws(Failure) {
                            result = .success(try await fetch())
                        } catch {
                            result = .failure(error)
                        }
                        self.finish(
                            lane, result, of: entryNumber, call: number, askedAt: now, wasFresh: fresh != nil)
                        return result
                    }
                })
        }
    }

    private func finish(
        _ lane: Lane, _ result: Result<Value, Failure>, of entryNumber: Int, call: Int,
        askedAt: ContinuousClock.Instant, wasFresh: Bool
    ) {
        let (now, key) = (now(), lane.key)
        let hidden: Failure? = state.withLock { state in
            _ = state.flights.end(lane, number: call)
            // A party's own call beside another's is as good, unless that one was asked later; one from before the key
            // was forgotten is not.
            guard let entry = state.entries[key], entry.number == entryNumber,
                entry.value.map({ $0.at <= askedAt }) ?? true
            else { return nil }
            switch result {
            case .success(let value):
                // One that would serve nobody is not kept: it may be a secret.
                guard max(ages.fresh, ages.stale) > .zero else {
                    state.entries[key]?.failure = nil
                    return nil
                }
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

    /// Drops the entries that serve no more or, where all serve, the one that was used longest ago; never one that is
    /// being fetched.
    private func makeRoom(for key: Key, in state: inout State, at now: ContinuousClock.Instant) {
        guard state.entries[key] == nil, state.entries.count >= capacity else { return }
        let longest = max(ages.fresh, ages.stale)
        let fetching = state.fetching
        let useless = state.entries.filter { key, entry in
            entry.value(within: longest, at: now) == nil && entry.failure.map { now >= $0.at + ages.failure } ?? true
                && !fetching.contains(key)
        }
        for key in useless.keys { state.entries[key] = nil }
        guard useless.isEmpty else { return }
        let idle = state.entries.filter { !fetching.contains($0.key) }
        if let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) { state.entries[oldest.key] = nil }
    }
}
