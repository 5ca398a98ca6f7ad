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

    /// - Parameter token: where the token endpoint is.
    private func offer(_ token: String = "https://as.example") throws -> ServerOffer {
        let metadata = try ProviderMetadata(
            json: Array(
                """
                {"issuer": "https://as.example", "authorization_endpoint": "\(token)/a", "token_endpoint": "\(token)/t",
                 "registration_endpoint": "https://as.example/r", "code_challenge_methods_supported": ["S256"]}
                """.utf8), issuer: "https://as.example")
        return try ServerOffer(metadata, own: nil, documents: true)
    }

    private func account(_ tenant: String) throws -> Cause.Account { .tenant(try #require(TenantID(tenant))) }

    private func register(
        _ number: Int, for tenant: String, at offer: ServerOffer? = nil, failing failure: ProviderError? = nil,
        gate: Gate? = nil
    ) async throws -> String {
        try await clients.registration(
            at: place(number), for: account(tenant), at: offer ?? self.offer(), scopes: [],
            now: { [clock] in clock.now.withLock { $0 } }
        ) { _ async throws(ProviderError) in
            await gate?.pass()
            if let failure { throw failure }
            return ClientRegistration(
                id: "client \(number)", secret: nil, authentication: .none, renewsAt: nil)
        }.id
    }

    /// A server may name ever new issuers, each of which costs a row.
    @Test func `a tenant causes so many registrations an hour, and no other has fewer for it`() async throws {
        for number in 0..<200 { _ = try await register(number, for: "acme") }
        clock.now.withLock { $0 = $0.adding(seconds: 600) }
        for isNews in [true, false] {
            await #expect(throws: ResourceError.tooManyRegistrations(retryAfter: 3000, isNews: isNews)) {
                try await register(200, for: "acme")
            }
        }
        #expect(try await register(0, for: "acme") == "client 0")
        #expect(try await register(200, for: "globex") == "client 200")
        clock.now.withLock { $0 = $0.adding(seconds: 3000) }
        #expect(try await register(201, for: "acme") == "client 201")
    }

    @Test func `what fails leaves no row, and is not counted`() async throws {
        for number in 0..<300 {
            await #expect(throws: ResourceError.provider(.timedOut(at: .registration))) {
                try await register(number, for: "acme", failing: .timedOut(at: .registration))
            }
        }
        #expect(try await register(0, for: "acme") == "client 0")
    }

    /// It may be refused for what that one did before.
    @Test func `a tenant does not wait for what another began`() async throws {
        let gate = Gate()
        let first = Task { try await register(0, for: "acme", failing: .rateLimited, gate: gate) }
        await gate.reached()
        #expect(try await register(0, for: "globex") == "client 0")
        await gate.open()
        await #expect(throws: ResourceError.provider(.rateLimited)) { try await first.value }
    }

    /// An issuer may say one thing to one and another to the next.
    @Test(arguments: [true, false]) func `of two at once neither goes without what its tokens are bound to`(
        _ isFirstElsewhere: Bool
    ) async throws {
        let (elsewhere, own) = (try offer("https://honest.example"), try offer())
        let gate = Gate()
        let first = Task { try await register(0, for: "acme", at: isFirstElsewhere ? elsewhere : own, gate: gate) }
        await gate.reached()
        _ = try await register(0, for: "globex", at: isFirstElsewhere ? own : elsewhere)
        await gate.open()
        if isFirstElsewhere {
            _ = try await first.value
        } else {
            await #expect(throws: ResourceError.self) { try await first.value }
        }
        let kept = try await clients.registration(at: place(0), now: now)
        #expect(kept?.tokenOrigin == Origin("https://honest.example"))
        await #expect(throws: ResourceError.self) { try await register(0, for: "third", at: own) }
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

/// Holds whoever passes until it is opened.
private actor Gate {
    private var isOpen = false
    private var isReached = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var watching: [CheckedContinuation<Void, Never>] = []

    func pass() async {
        isReached = true
        for continuation in watching { continuation.resume() }
        watching = []
        if !isOpen { await withCheckedContinuation { waiting.append($0) } }
    }

    func reached() async {
        if !isReached { await withCheckedContinuation { watching.append($0) } }
    }

    func open() {
        isOpen = true
        for continuation in waiting { continuation.resume() }
        waiting = []
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
        kept.withLock { kept in
            if let there = kept[registration.issuer], there.sealed != old { return there }
            kept[registration.issuer] = registration
            return registration
        }
    }

    func noteUse(of registration: KeptRegistration, at now: Timestamp) async throws(StoreError) {
        uses.withLock { $0 += 1 }
        setUse(now)
    }

    func forgetRegistrations(unusedSince moment: Timestamp) async throws(StoreError) {
        swept.withLock { $0.append(moment) }
    }

    func resealRegistrations(
        sealing again: @escaping @Sendable (KeptRegistration) -> Sealed<ClientRegistration>?
    ) async throws(StoreError) -> Int { 0 }
}
