import Broker
import Catalog
import Formats
import SQLiteStore
import Secrets

/// A real store in whose way something comes, as a test says.
struct InterruptedStore: BrokerStore {
    let store: SQLiteStore
    /// Looks at no more keys at once while revoking.
    var batch = 500
    /// Called before each batch of keys is destroyed, with its number.
    var beforeDestroying: @Sendable (Int) async throws(StoreError) -> Void = { _ in }
    /// Called after each batch of clients was resealed, in place of the transaction's own failure.
    var afterResealing: @Sendable () async throws(StoreError) -> Void = {}
    /// The number of times for which the closure that seals again is run for each client.
    var runs = 1
    private let batches = Count()

    init(_ store: SQLiteStore) { self.store = store }

    func destroyCredentialKeys(
        _ selection: Selection, startedBefore revocation: RevocationNumber, after position: CredentialKeyPosition?,
        limit: Int, by requester: Requester, at now: Timestamp
    ) async throws(StoreError) -> (destroyed: [DestroyedCredentialKey], position: CredentialKeyPosition?) {
        try await beforeDestroying(batches.next())
        return try await store.destroyCredentialKeys(
            selection, startedBefore: revocation, after: position, limit: batch, by: requester, at: now)
    }

    func resealClients(
        after position: ClientPosition?, limit: Int,
        sealing again: @escaping @Sendable (ClientPosition, Sealed<ClientSecret>) -> Sealed<ClientSecret>?
    ) async throws(StoreError) -> (moved: Int, position: ClientPosition?) {
        let runs = runs
        let result = try await store.resealClients(after: position, limit: limit) { place, sealed in
            for _ in 1..<runs { _ = again(place, sealed) }
            return again(place, sealed)
        }
        try await afterResealing()
        return result
    }

    // MARK: the rest is the store's

    func start(_ flow: Flow, recording event: Event) async throws(StoreError) -> FlowAdmission {
        try await store.start(flow, recording: event)
    }
    func claim(
        _ id: FlowID, at redirect: RedirectPath, isBound: Bool, now: Timestamp
    ) async throws(StoreError) -> Flow? {
        try await store.claim(id, at: redirect, isBound: isBound, now: now)
    }
    func succeed(
        _ id: FlowID, with stored: StoredCredentialKey, recording event: Event
    ) async throws(StoreError) -> Bool { try await store.succeed(id, with: stored, recording: event) }
    func fail(_ id: FlowID, error: String, description: String?, recording event: Event) async throws(StoreError) {
        try await store.fail(id, error: error, description: description, recording: event)
    }
    func noteTold(_ id: FlowID) async throws(StoreError) { try await store.noteTold(id) }
    func noteLost(_ id: FlowID, at redirect: RedirectPath, now: Timestamp) async throws(StoreError) -> Flow? {
        try await store.noteLost(id, at: redirect, now: now)
    }
    func isTaken(_ keyDigest: Digest) async throws(StoreError) -> Bool { try await store.isTaken(keyDigest) }
    func outcome(of id: FlowID) async throws(StoreError) -> FlowOutcome? { try await store.outcome(of: id) }
    func redeem(
        _ redemption: Redemption, opening open: @escaping Redemption.Opening
    ) async throws(StoreError) -> Redemption.Outcome { try await store.redeem(redemption, opening: open) }
    func credentialKeys(
        _ selection: Selection, at now: Timestamp, after position: CredentialKeyPosition?, limit: Int
    ) async throws(StoreError) -> CredentialKeyPage {
        try await store.credentialKeys(selection, at: now, after: position, limit: limit)
    }
    func revokeFlows(
        _ selection: Selection, at time: Timestamp, recording event: Event
    ) async throws(StoreError) -> RevocationNumber {
        try await store.revokeFlows(selection, at: time, recording: event)
    }
    func beginRefresh(
        _ refresh: RefreshIdentity, under lease: RefreshLease, replacing unreadable: RefreshLease?, at moment: Moment
    ) async throws(StoreError) -> RefreshStart {
        try await store.beginRefresh(refresh, under: lease, replacing: unreadable, at: moment)
    }
    func renewRefresh(
        _ refresh: RefreshIdentity, under lease: RefreshLease, at moment: Moment
    ) async throws(StoreError) -> Bool { try await store.renewRefresh(refresh, under: lease, at: moment) }
    func endRefresh(
        _ refresh: RefreshIdentity, under lease: RefreshLease, with end: RefreshEnd, at moment: Moment
    ) async throws(StoreError) -> Bool { try await store.endRefresh(refresh, under: lease, with: end, at: moment) }
    func refreshState(of refresh: RefreshIdentity, at moment: Moment) async throws(StoreError) -> RefreshState {
        try await store.refreshState(of: refresh, at: moment)
    }
    func forgetRefreshes(of token: Digest) async throws(StoreError) { try await store.forgetRefreshes(of: token) }
    func sweepRefreshes(at moment: Moment, limit: Int) async throws(StoreError) -> Bool {
        try await store.sweepRefreshes(at: moment, limit: limit)
    }
    func record(_ event: Event) async throws(StoreError) { try await store.record(event) }
    func events(_ filter: EventFilter, before sequence: Int64?, limit: Int) async throws(StoreError) -> EventPage {
        try await store.events(filter, before: sequence, limit: limit)
    }
    func clients(of tenant: TenantID) async throws(StoreError) -> [KeptClient] { try await store.clients(of: tenant) }
    func setClient(
        _ client: KeptClient, of tenant: TenantID, recording event: Event
    ) async throws(StoreError) -> Bool { try await store.setClient(client, of: tenant, recording: event) }
    func deleteClient(
        _ sourceType: SourceType.ID, of tenant: TenantID, recording event: Event
    ) async throws(StoreError) -> Bool { try await store.deleteClient(sourceType, of: tenant, recording: event) }
    func registration(issuer: String, redirectURI: String) async throws(StoreError) -> KeptRegistration? {
        try await store.registration(issuer: issuer, redirectURI: redirectURI)
    }
    func keepRegistration(
        _ registration: KeptRegistration, replacing old: Sealed<ClientRegistration>?
    ) async throws(StoreError) -> KeptRegistration {
        try await store.keepRegistration(registration, replacing: old)
    }
    func noteUse(of registration: KeptRegistration, at now: Timestamp) async throws(StoreError) {
        try await store.noteUse(of: registration, at: now)
    }
    func forgetRegistrations(unusedSince moment: Timestamp) async throws(StoreError) {
        try await store.forgetRegistrations(unusedSince: moment)
    }
    func resealRegistrations(
        sealing again: @escaping @Sendable (KeptRegistration) -> Sealed<ClientRegistration>?
    ) async throws(StoreError) -> Int { try await store.resealRegistrations(sealing: again) }
    func sweep(
        at now: Timestamp, eventsSince: Timestamp, limit: Int
    ) async throws(StoreError) -> (events: [Event], isUnfinished: Bool) {
        try await store.sweep(at: now, eventsSince: eventsSince, limit: limit)
    }
    func check() async throws(StoreError) { try await store.check() }
    func resealAuditKey(_ ring: KeyRing) async throws(StoreError) { try await store.resealAuditKey(ring) }
    func masterKeyUses(at now: Timestamp) async throws(StoreError) -> [String: MasterKeyUses] {
        try await store.masterKeyUses(at: now)
    }
    func close() async { await store.close() }
}

private final class Count: Sendable {
    private let number = Locked(0)

    func next() -> Int {
        number.withLock { number in
            number += 1
            return number
        }
    }
}
