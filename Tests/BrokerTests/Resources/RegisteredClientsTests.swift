import Formats
import Secrets
import Testing

@testable import Broker

/// The registrations of all tenants, kept in one place.
@Suite struct RegisteredClientsTests {
    private let clients: RegisteredClients
    private let clock = Clock()

    init() {
        clients = RegisteredClients(store: MemoryStore(), keyRing: .ephemeral(), tell: { _ in })
    }

    private func register(_ number: Int, for tenant: String) async throws -> String {
        let place = ClientRegistration.Place(
            issuer: "https://\(number).example", redirectURI: "https://broker.example/\(number)")
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
}

private final class Clock: Sendable {
    let now = Locked(TestTime.now)
}

private final class MemoryStore: ClientRegistrationStore {
    private let kept = Locked<[String: KeptRegistration]>([:])

    func registration(issuer: String, redirectURI: String) async throws(StoreError) -> KeptRegistration? {
        kept.withLock { $0[issuer] }
    }

    func keepRegistration(
        _ registration: KeptRegistration, replacing old: Sealed<ClientRegistration>?
    ) async throws(StoreError) -> KeptRegistration {
        kept.withLock { $0[registration.issuer] = registration }
        return registration
    }

    func forgetRegistration(_ registration: KeptRegistration) async throws(StoreError) {
        kept.withLock { $0[registration.issuer] = nil }
    }

    func resealRegistrations(
        sealing again: @escaping @Sendable (KeptRegistration) -> Sealed<ClientRegistration>?
    ) async throws(StoreError) -> Int { 0 }
}
