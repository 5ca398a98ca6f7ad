import Broker
import Catalog
import Secrets
import Testing
import Transport

/// An operator's orders, where something comes in the way.
@Suite struct AdministrationTests {
    private static let verifier = "an-exchange-verifier-that-is-long-enough-for-it"
    private static let rotated = "\(Installation.secondKey)\n\(Installation.firstKey)"
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    // MARK: revocation

    @Test func `the tokens of destroyed keys are taken back though the store fails at later ones`() async throws {
        let installation = try Installation(wrapping: {
            var store = InterruptedStore($0)
            store.batch = 1
            store.beforeDestroying = { number throws(StoreError) in if number == 3 { throw .unavailable("13: full") } }
            return store
        })
        for _ in 0..<3 { _ = try await installation.connect("own") }
        await #expect(throws: StoreError.unavailable("13: full")) {
            try await installation.broker.revoke(
                AdminRevocation(selection: Selection(), reason: "test", atProvider: true))
        }
        let taken = await installation.provider.requests.filter { $0.url.hasSuffix("/revoke") }
        #expect(taken.count == 2)
        let left = try await installation.broker.credentialKeys(Selection(), limit: 10).credentialKeys
        #expect(left.count == 1)
    }

    @Test func `a provider that cannot be reached is spared over all batches of an order`() async throws {
        let installation = try Installation(wrapping: {
            var store = InterruptedStore($0)
            store.batch = 1
            return store
        })
        for _ in 0..<6 { _ = try await installation.connect("own") }
        let asked = await installation.provider.requests.count
        await installation.provider.answers { _ throws(TransportError) in throw .unreachable }
        let result = try await installation.broker.revoke(
            AdminRevocation(selection: Selection(), reason: "test", atProvider: true))
        #expect(result.keys == 6 && result.atProvider == 0)
        #expect(result.failures.map(\.code) == Array(repeating: "provider_unreachable", count: 6))
        #expect(await installation.provider.requests.count == asked + 3)
    }

    // MARK: master keys

    @Test func `a client secret that cannot be resealed is told once, after the rest is kept`() async throws {
        try await keep("example", secret: Sealed(stored: [1, 2, 3]))
        let after = try installation.restarted(
            masterKeys: Self.rotated,
            wrapping: {
                var store = InterruptedStore($0)
                store.runs = 3
                return store
            })
        #expect(try await after.broker.reseal() == 0)
        #expect(after.events.incidents.map(\.kind) == [.clientSecretUnreadable])
    }

    @Test func `what a failed transaction could not open is not told`() async throws {
        try await keep("example", secret: Sealed(stored: [1, 2, 3]))
        let after = try installation.restarted(
            masterKeys: Self.rotated,
            wrapping: {
                var store = InterruptedStore($0)
                store.afterResealing = { () throws(StoreError) in throw .unavailable("13: full") }
                return store
            })
        await #expect(throws: StoreError.unavailable("13: full")) { try await after.broker.reseal() }
        #expect(after.events.incidents.isEmpty)
    }

    @Test func `an audit key that another value of the master key sealed is told by its name`() async throws {
        let other = "k2:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\nk1://////////////////////////////////////////8="
        let after = try installation.restarted(masterKeys: other)
        let reason = "the master key \"k1\" does not open it: it has another value, or the row was altered"
        await #expect(throws: StoreError.unavailable(reason)) { try await after.broker.reseal() }
    }

    @Test func `a binding cookie whose master key is gone is told once`() async throws {
        let begun = try await installation.begin(verifier: Self.verifier)
        let after = try installation.restarted(masterKeys: Installation.secondKey)
        for _ in 0..<2 {
            #expect(
                try await after.broker.bindingCookie(
                    for: begun.flow, verifier: ExchangeVerifier(Self.verifier), frontendOrigin: Installation.origin)
                    == nil)
        }
        #expect(after.events.incidents.map(\.kind) == [.outcomeUnreadable])
        #expect(after.events.incidents.first?.reason == "the master key \"k1\" is not in the file")
    }

    @Test func `a trial whose key does not open is not told as one that expired`() async throws {
        let (begun, _) = try await installation.connect(verifier: Self.verifier, bound: true)
        let after = try installation.restarted(masterKeys: Installation.secondKey)
        let ended = try await after.broker.conclude(begun.flow, verifier: ExchangeVerifier(Self.verifier))
        guard case .unreadable = ended else {
            Issue.record("it ended as \(String(describing: ended))")
            return
        }
    }

    // MARK: tenants' clients

    @Test func `a client secret that does not open refuses that source type alone, and is told once`() async throws {
        try await keep("example", secret: Sealed(stored: [1, 2, 3]))
        for _ in 0..<2 { await #expect(throws: AuthorizeError.self) { try await installation.begin("example") } }
        _ = try await installation.begin("lenient")
        let example = try sourceType("example")
        let lenient = try sourceType("lenient")
        let clients = try await installation.broker.clients(of: Samples.tenant())
        // Not the installation's in its place.
        #expect(clients(example) == nil)
        #expect(clients(lenient)?.id == "client")
        #expect(installation.events.incidents.map(\.kind) == [.clientSecretUnreadable])
        #expect(installation.events.incidents.first?.sourceType == example.id)
    }

    @Test(arguments: [
        ("clientAuthentication: none", false), ("clientAuthentication: basic", true),
        ("clientAuthentication: none\n      tokenParameters: { proof: \"{clientSecret}\" }", true),
        ("clientAuthentication: none\n      revocation: { authentication: basic }", true),
    ])
    func `a client secret is kept only where some request sends it`(_ oauth: String, _ isKept: Bool) async throws {
        let catalog = Installation.catalog.replacing(
            "      extras: { callback: [realmId] }", with: "      " + oauth)
        let installation = try Installation(catalog: catalog)
        let setting = ClientSetting(
            tenant: try Samples.tenant(), sourceType: "example", clientID: "own", clientSecret: ClientSecret("s"))
        let kept = try await installation.broker.setClient(setting).kept
        #expect((kept.secret != nil) == isKept)
    }

    private func sourceType(_ name: String) throws -> SourceType {
        let id = try #require(SourceType.ID(name))
        return try #require(installation.broker.catalog[id])
    }

    private func keep(_ sourceType: String, secret: Sealed<ClientSecret>) async throws {
        let client = KeptClient(
            sourceType: try #require(SourceType.ID(sourceType)), id: "own", secret: secret, scopes: nil,
            parameters: [:], changedAt: Samples.now)
        _ = try await installation.store.setClient(
            client, of: Samples.tenant(), recording: Event(.clientChanged, at: Samples.now))
    }
}
