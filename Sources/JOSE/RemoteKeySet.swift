import Secrets
package import Transport

/// A JWK set at an address (RFC 7517 § 5), as it is believed now. Callers in one turn share the request that is
/// under way, unless another turn has begun one since.
package final class RemoteKeySet: Sendable {
    /// Keys, and which set of them in the order of their coming: what was verified under another is verified again.
    package struct Generation: Sendable {
        /// The keys that signatures are verified by.
        package let keys: JSONWebKeySet
        /// Grows by each set that replaces another; the same set again keeps its number.
        package let number: Int
    }

    /// The reason why there are no keys.
    package enum Fault: Error, Equatable, Sendable {
        /// No answer came.
        case transport(TransportError)
        /// An answer other than 200.
        case status(Int)
        /// The answer is no key set, or beyond its bounds.
        case malformed
    }

    /// The party in whose turn a request is sent. No other party waits for it, since it may queue behind whatever that
    /// one has begun; any party waits for one that is `everybody`'s.
    package enum Turn: Hashable, Sendable {
        /// No party's own: any caller may wait for it.
        case everybody
        /// A party's name, such as a tenant's.
        case own(String)
    }

    /// Asks at the address.
    package typealias Fetch = @Sendable () async throws(TransportError) -> TransportResponse

    /// A request that is under way. It goes on though a caller that waits for it is cancelled.
    private struct Attempt {
        let result: Task<Fault?, Never>
    }

    private let now: @Sendable () -> ContinuousClock.Instant
    private let servingStale: @Sendable (Fault) -> Void
    private let state: Locked<State>

    private struct State: Sendable {
        var age: KeySetAge
        var current: Generation?
        /// Of what came: the same again is the same generation.
        var answer: Digest?
        var fault = Fault.malformed
        var running: [Turn: Attempt] = [:]
        var attempts = 0
    }

    /// - Parameters:
    ///   - now: a monotonic clock: one that is set back would prolong the life of withdrawn keys.
    ///   - servingStale: told where a request failed and the earlier keys are still believed: no caller gets the fault
    ///     then.
    package init(
        _ rules: KeySetAge.Rules, now: @escaping @Sendable () -> ContinuousClock.Instant,
        servingStale: @escaping @Sendable (Fault) -> Void = { _ in }
    ) {
        state = Locked(State(age: KeySetAge(rules)))
        self.now = now
        self.servingStale = servingStale
    }

    /// A request is under way.
    var isAsking: Bool { state.withLock { !$0.running.isEmpty } }

    /// The keys that are to be believed now.
    /// - Parameters:
    ///   - turn: in which a request goes, if one has to be made.
    ///   - sufficient: tells whether keys do for the token at hand; if not, the issuer may have new ones.
    ///   - fetch: makes the request; not called while one that the caller may wait for is under way.
    package func believed(
        in turn: Turn = .everybody, where sufficient: (JSONWebKeySet) -> Bool = { _ in true },
        fetch: @escaping Fetch
    ) async throws(Fault) -> Generation {
        // Under one lock: of many callers that miss a key, none asks again what another was answered just now.
        let (step, generation, fault, attempt) = state.withLock { state in
            let step = state.age.step(at: now(), sufficient: state.current.map { sufficient($0.keys) } ?? false)
            return (step, state.current, state.fault, step.asks ? ask(in: turn, fetch, &state) : nil)
        }
        switch (step, generation) {
        case (.use, let generation?), (.useAndAsk, let generation?): return generation
        case (.refuse, _), (.use, nil), (.useAndAsk, nil): throw fault
        case (.ask, _): break
        }
        let failure = await attempt?.result.value
        let believed = state.withLock { $0.age.isBelieved(at: now()) ? $0.current : nil }
        guard let believed else { throw failure ?? fault }
        return believed
    }

    /// The attempt to wait for: the one under way, or a new one.
    private func ask(in turn: Turn, _ fetch: @escaping Fetch, _ state: inout State) -> Attempt {
        if let attempt = state.running[.everybody] ?? state.running[turn] { return attempt }
        let askedAt = now()
        // What is found wanting though it is fresh lacks a key.
        let forUnknownKey = state.age.isFresh(at: askedAt)
        state.attempts += 1
        let number = state.attempts
        let result = Task {
            let answer = await Self.answer(fetch)
            return settle(answer, of: turn, attempt: number, askedAt: askedAt, forUnknownKey: forUnknownKey)
        }
        let attempt = Attempt(result: result)
        state.running[turn] = attempt
        return attempt
    }

    private static func answer(_ fetch: Fetch) async -> Result<[UInt8], Fault> {
        do {
            let response = try await fetch()
            // The content type is not asked for; the document tells what it is.
            return response.status == 200 ? .success(response.body) : .failure(.status(response.status))
        } catch {
            return .failure(.transport(error))
        }
    }

    /// Takes what came. A broken answer is none: it withdraws nothing, and is asked for again soon.
    private func settle(
        _ answer: Result<[UInt8], Fault>, of turn: Turn, attempt number: Int, askedAt: ContinuousClock.Instant,
        forUnknownKey: Bool
    ) -> Fault? {
        let read = answer.flatMap { body -> Result<(Generation, Digest), Fault> in
            let digest = Digest(of: body)
            if let known = state.withLock({ digest == $0.answer ? $0.current : nil }) {
                return .success((known, digest))
            }
            guard let keys = JSONWebKeySet(json: body) else { return .failure(.malformed) }
            return .success((Generation(keys: keys, number: number), digest))
        }
        let (failure, isServing) = state.withLock { state -> (Fault?, Bool) in
            state.running[turn] = nil
            // Of two that were under way in different turns, the one that was asked last.
            let isNews = state.age.isNews(askedAt: askedAt)
            switch read {
            case .success(let (generation, digest)):
                guard isNews else { return (nil, false) }
                state.current = generation
                state.answer = digest
                state.age.answered(askedAt: askedAt, forUnknownKey: forUnknownKey)
                return (nil, false)
            case .failure(let fault):
                // Nothing was sent: that one tenant has no turn says nothing about the issuer.
                if fault.isOurs || !isNews { return (fault, false) }
                state.fault = fault
                state.age.failed(at: now())
                return (fault, state.current != nil && state.age.isBelieved(at: now()))
            }
        }
        if let failure, isServing { servingStale(failure) }
        return failure
    }
}

extension RemoteKeySet.Fault {
    fileprivate var isOurs: Bool {
        switch self {
        case .transport(.rateLimited), .transport(.cancelled), .transport(.overloaded): true
        case .transport, .status, .malformed: false
        }
    }
}
