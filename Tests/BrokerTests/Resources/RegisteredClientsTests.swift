import Formats
import Secrets
import Testing

@testable import Broker

/// The registrations of all tenants, kept in one place.
@Suite struct RegisteredClientsTests {
    private let clients: RegisteredClients
    private let store = MemoryStore()
    private let clock = Clock()

    init() {
        clients = RegisteredClients(store: store, keyRing: .ephemeral(), tell: { _ in })
    }

    private func place(_ number: Int) -> ClientRegistration.Place {
        ClientRegistration.Place(
            issuer: "https://\(number).example", redirectURI: "https://broker.example/\(number)")
    }

    private func register(_ number: Int, for tenant: String) async throws -> String {
        let place = place(number)
        let account = Cause.Account.tenant(try #require(TenantID(tenant)))
        return try await clients.registration(at: place, for: account, now: { [clock] in clock.now.withLock { $0 } }) {
            () throws(ProviderError) in
            ClientRegistration(id: "client \(number)", secret: nil, authentication: .none, secretExpiresAt: nil)
        }.id
    }

    /// A server may name ever new issuers, each of which costs a row.
    @Test func `a tenant causes so many registrations an hour, and no other has fewer for it`() async throws {
        for number in 0..<200 { _ = try await register(number, for: "acme") }
        await #expect(throws: ResourceError.provider(.rateLimited)) { try await register(200, for: "acme") }
        #expect(try await register(0, for: "acme") == "client 0")
        #expect(try await register(200, for: "globex") == "client 200")
        clock.now.withLock { $0 = $0.adding(seconds: 3600) }
        #expect(try await register(201, for: "acme") == "client 201")
    }

    private var now: Timestamp { clock.now.withLock { $0 } }

    private func pass(days: Int64) { clock.now.withLock { $0 = $0.adding(seconds: days * 86_400) } }

    /// Each refresh is a use: a write for each would be one too many.
    @Test func `a use is noted once in thirty days, whether a flow begins or a token is refreshed`() async throws {
        _ = try await register(0, for: "acme")
        for (days, uses) in [(29, 0), (1, 1), (29, 1), (1, 2)] as [(Int64, Int)] {
            pass(days: days)
            _ = try await register(0, for: "acme")
            _ = try await clients.registration(at: place(0), now: now)
            #expect(store.uses.withLock { $0 } == uses)
        }
        pass(days: 30)
        _ = try await clients.registration(at: place(0), now: now)
        #expect(store.uses.withLock { $0 } == 3)
    }

    /// A row may hold any number.
    @Test(arguments: [Int64.min, -1, .max]) func `a use at no real moment ends nothing`(_ moment: Int64) async throws {
        _ = try await register(0, for: "acme")
        store.setUse(Timestamp(milliseconds: moment))
        #expect(try await clients.registration(at: place(0), now: now)?.id == "client 0")
        #expect(try await register(0, for: "acme") == "client 0")
    }

    @Test func `what was not used for 400 days is forgotten once a day, by a clock that may be set back`() async throws
    {
        for (days, isAsked) in [(0, true), (0, false), (1, true), (-30, true), (0, false)] as [(Int64, Bool)] {
            pass(days: days)
            let before = store.swept.withLock { $0 }
            try await clients.sweep(at: now)
            #expect(store.swept.withLock { $0 } == before + (isAsked ? [now.adding(seconds: -400 * 86_400)] : []))
        }
    }
}

private final class Clock: Sendable {
    let now = Locked(TestTime.now)
}

private final class MemoryStore: ClientRegistrationStore {
    private let kept = Locked<[String: KeptRegistration]>([:])
    let uses = Locked(0)
    let swept = Locked<[Timestamp]>([])

    func setUse(_ moment: Timestamp) {
        kept.withLock { kept in
            kept = kept.mapValues {
                KeptRegistration(
                    issuer: $0.issuer, redirectURI: $0.redirectURI, sealed: $0.sealed, usedAt: moment)
            }
        }
    }

    func registration(issuer: String, redirectURI: String) async throws(StoreError) -> KeptRegistration? {
        kept.withLock { $0[issuer] }
    }

    func keepRegistration(
        _ registration: KeptRegistration, replacing old: Sealed<ClientRegistration>?
    ) async throws(StoreError) -> KeptRegistration {
        kept.withLock { $0[registration.issuer] = registration }
        return registration
    }

    func noteUse(of registration: KeptRegistration, at now: Timestamp) async throws(StoreError) {
        uses.withLock { $0 += 1 }
        setUse(now)
    }

    func forgetRegistration(_ registration: KeptRegistration) async throws(StoreError) {
        kept.withLock { $0[registration.issuer] = nil }
    }

    func forgetRegistrations(unusedSince moment: Timestamp) async throws(StoreError) {
        swept.withLock { $0.append(moment) }
    }

    func resealRegistrations(
        sealing again: @escaping @Sendable (KeptRegistration) -> Sealed<ClientRegistration>?
    ) async throws(StoreError) -> Int { 0 }
}
