import Secrets

/// One call to the provider for all who ask for the same refresh at once, in this broker and in the others of its
/// store, and for 30 s its answer: a provider that rotates would take a second call for theft (RFC 9700 § 4.14.2).
///
/// Within a process callers wait for one call; between processes that call has a lease in the store. An answer is kept
/// in the store alone, so that a revocation at one broker ends it at all.
actor RefreshCoalescer {
    /// A provider's answer, as the JSON for the caller.
    struct Answer: Sendable {
        let json: SecretBytes
        /// The access token in it and the refresh token: a revocation of either ends it.
        let tokens: [Digest]
    }

    /// The running call of a refresh, and the lease that it has or waits for; `nil` until it knows.
    private struct Watch {
        let number: Int
        var lease: RefreshLease?
    }

    private let store: any RefreshStore
    private let seals: RefreshSeals
    private let moment: @Sendable () -> Moment
    private let pause: @Sendable (Duration) async throws -> Void
    private let notKept: @Sendable (RefreshIdentity, StoreError) -> Void
    private var calls = Flights<RefreshIdentity, SecretBytes, RefreshError>()
    private var watches: [RefreshIdentity: Watch] = [:]

    /// - Parameters:
    ///   - pause: waits, without a thread.
    ///   - notKept: told of an answer that its callers get, and nobody after them.
    init(
        store: any RefreshStore, keyRing: KeyRing, moment: @escaping @Sendable () -> Moment,
        pause: @escaping @Sendable (Duration) async throws -> Void,
        notKept: @escaping @Sendable (RefreshIdentity, StoreError) -> Void
    ) {
        self.store = store
        seals = RefreshSeals(keyRing: keyRing)
        self.moment = moment
        self.pause = pause
        self.notKept = notKept
    }

    /// The answer for `identity`: a kept one, a running call's, or `refresh`'s.
    ///
    /// The call goes on where its caller gives up: the provider may have rotated the token already.
    ///
    /// - Parameter refresh: `@concurrent`, so that no work of one tenant's call holds this actor up for the others.
    func run(
        _ identity: RefreshIdentity, token: RefreshToken,
        refresh: @escaping @concurrent @Sendable () async throws(RefreshError) -> Answer
    ) async throws(RefreshError) -> SecretBytes {
        let standing = try await state(of: identity).standing
        if case .answered(let kept) = standing, let json = seals.open(kept.answer, of: identity, under: token) {
            return json
        }
        // A call whose lease is gone was parted from those who come later by a revocation, perhaps another broker's.
        if let call = calls[identity], watches[identity]?.lease.map({ standing == .running($0) }) ?? true {
            return try await call.value.get()
        }
        return try await start(identity, token: token, refresh: refresh).value.get()
    }

    private func start(
        _ identity: RefreshIdentity, token: RefreshToken,
        refresh: @escaping @concurrent @Sendable () async throws(RefreshError) -> Answer
    ) -> Flights<RefreshIdentity, SecretBytes, RefreshError>.Call {
        calls.begin(identity) { number in
            watches[identity] = Watch(number: number)
            return Task { () async -> Result<SecretBytes, RefreshError> in
                let result: Result<SecretBytes, RefreshError>
                do throws(RefreshError) {
                    result = .success(try await settle(identity, call: number, token: token, refresh: refresh))
                } catch {
                    result = .failure(error)
                }
                if calls.end(identity, number: number) { watches[identity] = nil }
                return result
            }
        }
    }

    /// Gets the lease and asks, or waits for who has it.
    private func settle(
        _ identity: RefreshIdentity, call: Int, token: RefreshToken,
        refresh: @concurrent @Sendable () async throws(RefreshError) -> Answer
    ) async throws(RefreshError) -> SecretBytes {
        var unreadable: RefreshLease?
        while true {
            let lease = RefreshLease.random()
            let start: RefreshStart
            do {
                start = try await store.beginRefresh(identity, under: lease, replacing: unreadable, at: moment())
            } catch {
                throw .store(error)
            }
            switch start {
            case .begun:
                watch(identity, call: call, lease: lease)
                return try await ask(identity, under: lease, token: token, refresh: refresh)
            case .running(let other):
                watch(identity, call: call, lease: other)
                try await wait(for: other, of: identity, token: token)
            case .answered(let kept):
                if let json = seals.open(kept.answer, of: identity, under: token) { return json }
                // Its master key is gone, or the row was altered.
                unreadable = kept.lease
            }
        }
    }

    private func watch(_ identity: RefreshIdentity, call: Int, lease: RefreshLease) {
        if watches[identity]?.number == call { watches[identity]?.lease = lease }
    }

    private func state(of identity: RefreshIdentity) async throws(RefreshError) -> RefreshState {
        do {
            return try await store.refreshState(of: identity, at: moment())
        } catch {
            throw .store(error)
        }
    }

    // MARK: asking

    private static let renewal = Duration.milliseconds(RefreshLease.lifetime / 3)

    private func ask(
        _ identity: RefreshIdentity, under lease: RefreshLease, token: RefreshToken,
        refresh: @concurrent @Sendable () async throws(RefreshError) -> Answer
    ) async throws(RefreshError) -> SecretBytes {
        let renewal = Task { await renew(identity, lease) }
        defer { renewal.cancel() }
        do throws(RefreshError) {
            let answer = try await refresh()
            let sealed = seals.seal(answer.json, of: identity, under: token)
            // Before anybody has it: whoever knows its tokens, and revokes one, ends what is kept.
            do throws(StoreError) {
                _ = try await store.endRefresh(
                    identity, under: lease, with: .answered(sealed, tokens: answer.tokens), at: moment())
            } catch {
                notKept(identity, error)
            }
            return answer.json
        } catch {
            let sealed = RefreshFailure(error).flatMap { seals.seal($0, of: identity, under: token) }
            // If the store cannot keep it, the lease ends by time, and those who wait ask for themselves.
            let isKept = try? await store.endRefresh(
                identity, under: lease, with: sealed.map { .failed($0) } ?? .released, at: moment())
            // Another broker that was overtaken may have brought the answer, and this failure be of a second use.
            if isKept == false, let json = await keptAnswer(for: identity, token: token) { return json }
            throw error
        }
    }

    private func keptAnswer(for identity: RefreshIdentity, token: RefreshToken) async -> SecretBytes? {
        guard case .answered(let kept)? = try? await state(of: identity).standing else { return nil }
        return seals.open(kept.answer, of: identity, under: token)
    }

    /// Lets the lease live for as long as the call runs.
    private func renew(_ identity: RefreshIdentity, _ lease: RefreshLease) async {
        while true {
            do { try await pause(Self.renewal) } catch { return }
            if Task.isCancelled { return }
            // A store that fails now may do it the next time.
            if (try? await store.renewRefresh(identity, under: lease, at: moment())) == false { return }
        }
    }

    // MARK: waiting

    /// Returns where the lease is over, or throws the failure that it ended with.
    private func wait(
        for lease: RefreshLease, of identity: RefreshIdentity, token: RefreshToken
    ) async throws(RefreshError) {
        var pauses = 0
        while true {
            // 20 ms at first, for answers that are nearly there; up to 160 ms for those that take long.
            try? await pause(.milliseconds(20 << min(pauses / 8, 3)))
            pauses += 1
            let state = try await state(of: identity)
            if let (ended, sealed) = state.failure, ended == lease,
                let failure = seals.open(sealed, of: identity, under: token)
            {
                throw failure.error
            }
            guard state.standing == .running(lease) else { return }
        }
    }

    // MARK: forgetting

    /// Forgets what was answered for the grant of a token that was revoked, in all brokers of the store. What running
    /// calls bring goes to those who wait in the same broker already, and to nobody else.
    func forget(_ token: Digest) async throws(StoreError) { try await store.forgetRefreshes(of: token) }
}
