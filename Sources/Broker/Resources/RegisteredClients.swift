import Catalog
import Formats
import Secrets

/// The clients that the broker became by itself, one for each authorization server and redirect address, kept sealed.
final class RegisteredClients: Sendable {
    /// One at a time for each place and account; a failure is tried again at once. No account waits for what another
    /// one began, which may be refused for what that one did before.
    private typealias Running = SingleFlightCache<
        ClientRegistration.Place, ClientRegistration, ResourceError, Cause.Account
    >

    private let store: any ClientRegistrationStore
    private let keyRing: KeyRing
    private let running: Running
    private let tell: @Sendable (Incident) -> Void
    private let made = Locked<[Cause.Account: Hour]>([:])
    private let sweptAt = Locked<Timestamp?>(nil)

    /// The registrations that one account caused in an hour.
    private struct Hour: Sendable {
        let start: Timestamp
        var count = 0
        var isTold = false

        var end: Timestamp { start.adding(seconds: 3600) }

        /// A clock may be set back.
        func isNow(_ now: Timestamp) -> Bool { start <= now && now < end }
    }

    /// A hostile server can name a new issuer each time, and each is a row that stays.
    private static let mostInAnHour = 200
    /// Each is lost to another call that was faster, which seldom comes twice.
    private static let mostTries = 5
    /// Beyond so many accounts those are dropped whose hour is over.
    private static let mostHours = 1000

    private static let day: Int64 = 86_400
    /// The days without a use after which a registration is forgotten. Nobody tells when its last token ends: whoever has
    /// one that was not refreshed for so long has to connect again.
    private static let longestUnused = 400 * day
    /// A use is noted once in so long: few uses write.
    private static let noteInterval = 30 * day

    init(store: any ClientRegistrationStore, keyRing: KeyRing, tell: @escaping @Sendable (Incident) -> Void) {
        self.store = store
        self.keyRing = keyRing
        self.tell = tell
        running = Running(.init(fresh: .zero), capacity: 1000)
    }

    /// The registration that is kept for a place, which is thereby used; `nil` where there is none, or it does not open.
    func registration(
        at place: ClientRegistration.Place, now: Timestamp
    ) async throws(StoreError) -> ClientRegistration? {
        guard let kept = try await store.registration(issuer: place.issuer, redirectURI: place.redirectURI),
            let known = open(kept, at: place)
        else { return nil }
        try await noteUse(of: kept, at: now)
        return known
    }

    private func noteUse(of kept: KeptRegistration, at now: Timestamp) async throws(StoreError) {
        guard kept.usedAt <= now.adding(seconds: -Self.noteInterval) else { return }
        try await store.noteUse(of: kept, at: now)
    }

    /// Forgets the registrations that nobody used for so long that nobody will. Looks once a day: to the store it is a
    /// look at each of them.
    func sweep(at now: Timestamp) async throws(StoreError) {
        let last = sweptAt.withLock { $0 }
        if let last, last <= now, now < last.adding(seconds: Self.day) { return }
        try await store.forgetRegistrations(unusedSince: now.adding(seconds: -Self.longestUnused))
        sweptAt.withLock { $0 = now }
    }

    /// The registration for a flow that begins: the kept one, or a new one where there is none, or it is due.
    ///
    /// - Parameters:
    ///   - account: whose new ones are counted. Beyond those of an hour it fails.
    ///   - scopes: those that the flow asks for.
    ///   - make: makes a new one, in place of the one that is given.
    func registration(
        at place: ClientRegistration.Place, for account: Cause.Account, at offer: ServerOffer, scopes: [String],
        now: @escaping @Sendable () -> Timestamp,
        make: @escaping @Sendable (ClientRegistration?) async throws(ProviderError) -> ClientRegistration
    ) async throws(ResourceError) -> ClientRegistration {
        let inOneCall = { [self] () async throws(ResourceError) in
            try await running.value(for: place, for: account) { [self] () async throws(ResourceError) in
                try await find(at: place, for: account, at: offer, scopes: scopes, now: now, make: make)
            }
        }
        let found = try await inOneCall()
        // The call that was waited for may have had other scopes in mind.
        return found.covers(scopes) ? found : try await inOneCall()
    }

    private func find(
        at place: ClientRegistration.Place, for account: Cause.Account, at offer: ServerOffer, scopes: [String],
        now: @escaping @Sendable () -> Timestamp,
        make: @escaping @Sendable (ClientRegistration?) async throws(ProviderError) -> ClientRegistration
    ) async throws(ResourceError) -> ClientRegistration {
        for _ in 0..<Self.mostTries {
            let kept: KeptRegistration?
            do {
                kept = try await store.registration(issuer: place.issuer, redirectURI: place.redirectURI)
            } catch {
                throw .store(error)
            }
            let known = kept.flatMap { open($0, at: place) }
            if let known { try Self.check(known, at: offer) }
            let bound = known?.tokenOrigin ?? offer.metadata.boundTokenOrigin
            var next: ClientRegistration
            if let kept, let known, known.isUsable(at: offer, scopes: scopes, now: now()) {
                if bound == known.tokenOrigin {
                    do {
                        try await noteUse(of: kept, at: now())
                    } catch {
                        throw .store(error)
                    }
                    return known
                }
                next = known
            } else {
                try reserve(for: account, at: now())
                do {
                    next = try await make(known)
                } catch {
                    giveBack(for: account)
                    throw .provider(error)
                }
            }
            next.tokenOrigin = bound
            if try await keep(next, at: place, replacing: kept, now: now()) { return next }
            // Another call or broker was faster: what it kept is looked at as if it had been there before, so that all act
            // as one client, and none goes without the origin that its tokens are bound to.
        }
        throw .provider(.rateLimited)
    }

    /// Throws where tokens that its flows get could go to another place than those before: the two cannot be told apart
    /// later.
    private static func check(_ known: ClientRegistration, at offer: ServerOffer) throws(ResourceError) {
        guard offer.metadata.takesTokens(boundTo: known.tokenOrigin) else {
            throw .provider(.rejected(reason: known.moved(offer.metadata)))
        }
    }

    private func reserve(for account: Cause.Account, at now: Timestamp) throws(ResourceError) {
        let refusal: (seconds: Int, isNews: Bool)? = made.withLock { made in
            if made.count >= Self.mostHours, made[account] == nil { made = made.filter { $0.value.isNow(now) } }
            var hour = made[account].flatMap { $0.isNow(now) ? $0 : nil } ?? Hour(start: now)
            defer { made[account] = hour }
            guard hour.count >= Self.mostInAnHour else {
                hour.count += 1
                return nil
            }
            let isNews = !hour.isTold
            hour.isTold = true
            return (Int((hour.end.milliseconds - now.milliseconds + 999) / 1000), isNews)
        }
        if let refusal { throw .tooManyRegistrations(retryAfter: refusal.seconds, isNews: refusal.isNews) }
    }

    /// Takes one back that failed, and so left no row.
    private func giveBack(for account: Cause.Account) {
        made.withLock { made in if let hour = made[account], hour.count > 0 { made[account]?.count -= 1 } }
    }

    /// Keeps a registration. `false` where another than the old one is kept by now.
    private func keep(
        _ new: ClientRegistration, at place: ClientRegistration.Place, replacing old: KeptRegistration?, now: Timestamp
    ) async throws(ResourceError) -> Bool {
        guard let sealed = new.sealed(by: keyRing, at: place) else {
            throw .provider(.rejected(reason: "the registration cannot be written as JSON"))
        }
        do {
            let kept = try await store.keepRegistration(
                KeptRegistration(
                    issuer: place.issuer, redirectURI: place.redirectURI, sealed: sealed, usedAt: now),
                replacing: old?.sealed)
            return kept.sealed == sealed
        } catch {
            throw .store(error)
        }
    }

    /// Keeps that the server does not know a registration, or that it does again. `true` where it is lost
    /// (`ClientRegistration.isLost`). Does nothing where another one has taken its place.
    func note(
        isRefused: Bool, isFinal: Bool, _ registration: ClientRegistration, at place: ClientRegistration.Place,
        now: Timestamp
    ) async throws(StoreError) -> Bool {
        guard isRefused || registration.refusedAt != nil,
            let kept = try await store.registration(issuer: place.issuer, redirectURI: place.redirectURI),
            let found = open(kept, at: place), found.id.isExactly(registration.id)
        else { return false }
        let known = found.noting(isRefused: isRefused, isFinal: isFinal, at: now)
        if known.refusedAt == found.refusedAt, known.isLost == found.isLost { return known.isLost }
        guard let sealed = known.sealed(by: keyRing, at: place) else { return known.isLost }
        _ = try await store.keepRegistration(
            KeptRegistration(
                issuer: place.issuer, redirectURI: place.redirectURI, sealed: sealed, usedAt: kept.usedAt),
            replacing: kept.sealed)
        return known.isLost
    }

    private func open(_ kept: KeptRegistration, at place: ClientRegistration.Place) -> ClientRegistration? {
        do throws(OpenError) {
            return try ClientRegistration(kept.sealed, openedBy: keyRing, at: place)
        } catch {
            tell(Incident(.registrationUnreadable, "\(error.reason(kept.sealed.keyID)) (\(quoted: place.issuer))"))
            return nil
        }
    }
}
