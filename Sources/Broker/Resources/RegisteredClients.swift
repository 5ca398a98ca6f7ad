import Catalog
import Formats
import Secrets

/// The broker's own registrations (RFC 7591), one for each authorization server and redirect address, kept sealed.
final class RegisteredClients: Sendable {
    /// One registration at a time for each place; a failure is tried again at once.
    private typealias Running = SingleFlightCache<
        ClientRegistration.Place, ClientRegistration, ResourceError, Never
    >

    private let store: any ClientRegistrationStore
    private let keyRing: KeyRing
    private let running: Running
    private let tell: @Sendable (Incident) -> Void
    private let made = Locked<[Cause.Account: Hour]>([:])
    private let sweptAt = Locked<Timestamp?>(nil)

    /// What was registered for one account.
    private struct Hour: Sendable {
        var start: Timestamp
        var count = 0
    }

    /// A hostile server can name a new issuer each time, and each is a row that stays.
    private static let mostInAnHour = 200

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

    /// The registration for a place: the kept one, or a new one where there is none or its secret has expired.
    ///
    /// - Parameters:
    ///   - account: whose registrations are counted. Beyond those of an hour it fails.
    ///   - register: asks the server.
    func registration(
        at place: ClientRegistration.Place, for account: Cause.Account = .broker,
        now: @escaping @Sendable () -> Timestamp,
        register: @escaping @Sendable () async throws(ProviderError) -> ClientRegistration
    ) async throws(ResourceError) -> ClientRegistration {
        try await running.value(for: place) { [self] () async throws(ResourceError) in
            let kept: KeptRegistration?
            do throws(StoreError) {
                kept = try await store.registration(issuer: place.issuer, redirectURI: place.redirectURI)
                if let kept, let known = open(kept, at: place), !known.hasExpired(at: now()) {
                    try await noteUse(of: kept, at: now())
                    return known
                }
            } catch {
                throw .store(error)
            }
            guard mayMake(for: account, at: now()) else { throw .provider(.rateLimited) }
            let new: ClientRegistration
            do throws(ProviderError) {
                new = try await register()
            } catch {
                throw .provider(error)
            }
            return try await keep(new, at: place, replacing: kept, now: now())
        }
    }

    private func mayMake(for account: Cause.Account, at now: Timestamp) -> Bool {
        made.withLock { made in
            var hour = made[account] ?? Hour(start: now)
            if now < hour.start || hour.start.adding(seconds: 3600) <= now { hour = Hour(start: now) }
            hour.count += 1
            made[account] = hour
            return hour.count <= Self.mostInAnHour
        }
    }

    /// Keeps a registration. Where another broker of the store was faster, its own one counts, so that both act as one
    /// client.
    private func keep(
        _ new: ClientRegistration, at place: ClientRegistration.Place, replacing old: KeptRegistration?, now: Timestamp
    ) async throws(ResourceError) -> ClientRegistration {
        guard let sealed = new.sealed(by: keyRing, at: place) else {
            throw .provider(.rejected(reason: "the registration cannot be written as JSON"))
        }
        let kept: KeptRegistration
        do {
            kept = try await store.keepRegistration(
                KeptRegistration(
                    issuer: place.issuer, redirectURI: place.redirectURI, sealed: sealed, usedAt: now),
                replacing: old?.sealed)
        } catch {
            throw .store(error)
        }
        return kept.sealed == sealed ? new : open(kept, at: place) ?? new
    }

    /// Forgets a registration that its server does not know any more: the next flow makes a new one. Does nothing where
    /// another one has taken its place.
    func forget(_ clientID: String, at place: ClientRegistration.Place) async throws(StoreError) {
        guard let kept = try await store.registration(issuer: place.issuer, redirectURI: place.redirectURI),
            let known = open(kept, at: place), known.id.isExactly(clientID)
        else { return }
        try await store.forgetRegistration(kept)
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
