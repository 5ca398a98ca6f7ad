import Broker
import Catalog
import Formats
import Foundation
import SQLiteStore
import Secrets
import StrictYAML
import TestSupport
import Testing

/// A broker over a real store, with a provider that says what the test wants.
final class Installation: Sendable {
    static let origin = "https://app.example.com"
    static let firstKey = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    static let secondKey = "k2://////////////////////////////////////////8="

    /// `strict` must be told the issuer in callbacks, `lenient` may be.
    static let catalog = """
        sourceTypes:
          file: { displayName: File upload, category: upload }
          example:
            displayName: Example
            category: wiki
            oauth:
              authorizationURL: https://provider.example/authorize
              tokenURL: https://provider.example/token
              scopes: [read]
              extras: { callback: [realmId] }
              revocationURL: https://provider.example/revoke
          lenient:
            displayName: Lenient
            category: wiki
            provider: example
            oauth:
              authorizationURL: https://provider.example/authorize
              tokenURL: https://provider.example/token
              issuer: https://provider.example
          strict:
            displayName: Strict
            category: wiki
            provider: example
            oauth:
              authorizationURL: https://provider.example/authorize
              tokenURL: https://provider.example/token
              issuer: https://provider.example
              requireIssuer: true
          subdomain:
            displayName: Subdomain
            category: wiki
            provider: example
            oauth:
              authorizationURL: "https://{subdomain}.provider.example/authorize"
              tokenURL: "https://{subdomain}.provider.example/token"
              clientPerInstance: false
              parameters: { subdomain: { pattern: "^[a-z]+$" } }
          own:
            displayName: A server of one's own
            category: wiki
            oauth:
              authorizationURL: "https://{host}/authorize"
              tokenURL: "https://{host}/token"
              revocationURL: "https://{host}/revoke"
              clientPerInstance: true
              parameters: { host: { pattern: "^[a-z.]+$" } }
          unconfigured:
            displayName: Unconfigured
            category: wiki
            oauth:
              authorizationURL: https://other.example/authorize
              tokenURL: https://other.example/token
        """

    let folder: TemporaryFolder
    let store: SQLiteStore
    let provider: ScriptedProvider
    let clock: Clock
    /// The time of the machine that the broker and those beside it run on.
    let steady: SteadyClock
    let events: Events
    let broker: Broker

    typealias Pause = @Sendable (Duration) async throws -> Void
    /// Short, so that tests are: how long it is changes nothing.
    static let shortly: Pause = { _ in try await Task.sleep(for: .milliseconds(1)) }

    static let clients = [
        "example": Client(id: "client", secret: ClientSecret("client-hunter2")),
        "own": Client(id: "own", secret: ClientSecret("client-hunter2"), parameters: ["host": "ours.example"]),
    ]

    convenience init(
        masterKeys: String = firstKey, catalog: String = Installation.catalog,
        clients: [String: Client] = Installation.clients, frontends: Frontends? = nil,
        pause: @escaping Pause = shortly, wrapping: (SQLiteStore) -> any BrokerStore = { $0 }
    ) throws {
        let folder = try TemporaryFolder()
        try self.init(
            folder: folder, store: try SQLiteStore(path: folder.database), masterKeys: masterKeys,
            clocks: (Clock(), SteadyClock()), catalog: catalog, clients: clients, frontends: frontends, pause: pause,
            wrapping: wrapping)
    }

    private init(
        folder: TemporaryFolder, store: SQLiteStore, masterKeys: String, clocks: (Clock, SteadyClock),
        catalog: String = Installation.catalog, clients: [String: Client] = Installation.clients,
        frontends: Frontends? = nil, pause: @escaping Pause = shortly,
        wrapping: (SQLiteStore) -> any BrokerStore = { $0 }
    ) throws {
        self.folder = folder
        self.store = store
        let (clock, steady) = clocks
        (self.clock, self.steady) = clocks
        let provider = ScriptedProvider()
        let events = Events()
        self.provider = provider
        self.events = events
        let findings = Findings()
        let catalog = Catalog(own: [("test.yaml", catalog)], allowInsecure: false, findings: findings)
        try #require(findings.lines == [])
        var settings = Broker.Settings(
            publicURL: try #require(StrictURL("https://broker.example.com")),
            frontends: frontends
                ?? Frontends(origins: [Self.origin, "https://second.example.com"].compactMap { Origin($0) }))
        settings.resources = ResourceServers([HostPattern("mcp.example.com")].compactMap { $0 })
        broker = Broker(
            settings: settings, catalog: catalog,
            clients: clients,
            keyRing: try KeyRing(masterKeys), store: wrapping(store), transport: provider, now: { clock.now },
            report: { events.append($0) }, tell: { events.append($0) }, steadyNow: { steady.now },
            machine: Machine(name: "machine", start: steady.start), pause: pause)
    }

    /// The same files after a restart with other master keys.
    func restarted(
        masterKeys: String, wrapping: (SQLiteStore) -> any BrokerStore = { $0 }
    ) throws -> Installation {
        try Installation(
            folder: folder, store: store, masterKeys: masterKeys, clocks: (clock, steady), wrapping: wrapping)
    }

    /// Another broker on the same file, with a store of its own.
    func beside(
        catalog: String = Installation.catalog, clients: [String: Client] = Installation.clients,
        pause: @escaping Pause = shortly
    ) throws -> Installation {
        try Installation(
            folder: folder, store: try SQLiteStore(path: folder.database), masterKeys: Self.firstKey,
            clocks: (clock, steady), catalog: catalog, clients: clients, pause: pause)
    }

    // MARK: steps of a flow

    func begin(
        _ sourceType: String = "example", tenant: String = "acme", verifier: String? = nil, returnURL: String? = nil,
        parameters: [String: String] = [:]
    ) async throws -> Begun {
        let authorization = try await broker.authorize(
            AuthorizeRequest(
                tenant: try Samples.tenant(tenant), sourceType: sourceType, parameters: parameters,
                returnURL: returnURL,
                exchangeChallenge: verifier.map { Samples.challenge($0).text }))
        return try Begun(authorization)
    }

    /// - Parameter redirect: the address that the callback comes to; else the flow's own.
    func callback(
        _ query: String, at redirect: RedirectPath? = nil, cookie: BindingCookie? = nil
    ) async -> CallbackResult {
        let state = Percent.pairs(query)?.first { $0.name == "state" }?.value ?? ""
        let own = try? await store.outcome(of: FlowID(of: State(state)))?.flow.redirect
        return await broker.callback(CallbackRequest(query.utf8, at: redirect ?? own ?? .legacy) { _ in cookie })
    }

    /// A flow up to its credential key.
    func connect(_ sourceType: String = "example", verifier: String? = nil, bound: Bool = false) async throws -> (
        Begun, CredentialKey
    ) {
        let begun = try await begin(sourceType, verifier: verifier)
        let cookie = bound ? try await self.cookie(of: begun, verifier: try #require(verifier)) : nil
        let key = try #require(await callback("code=good&state=\(begun.state)", cookie: cookie).key)
        return (begun, key)
    }

    func cookie(of begun: Begun, verifier: String) async throws -> BindingCookie {
        try #require(
            try await broker.bindingCookie(
                for: begun.flow, verifier: ExchangeVerifier(verifier), frontendOrigin: Self.origin))
    }

    /// The credentials' JSON, if the key is good.
    func redeem(_ key: CredentialKey, tenant: String = "acme", verifier: String? = nil) async throws -> String? {
        try await broker.redeem(key, for: Samples.tenant(tenant), verifier: verifier.map { ExchangeVerifier($0) })?
            .expose { String(decoding: $0, as: UTF8.self) }
    }
}

/// A flow that began, and what a browser sees of it.
struct Begun {
    let authorization: Authorization
    let parameters: [(name: String, value: String)]

    init(_ authorization: Authorization) throws {
        self.authorization = authorization
        parameters = try #require(Percent.pairs(authorization.url.expose { $0.drop { $0 != "?" }.dropFirst() }))
    }

    var flow: FlowID { authorization.flow }
    var url: String { authorization.url.expose { $0 } }
    var state: String { self["state"] ?? "" }

    subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }
}

extension CallbackResult {
    var key: CredentialKey? {
        if case .succeeded(_, let key) = self { key } else { nil }
    }

    var error: CallbackError? {
        failure?.error
    }

    var failure: CallbackFailure? {
        if case .failed(let failure, _) = self { failure } else { nil }
    }

    /// The flow that someone could be told about.
    var flow: Flow? {
        switch self {
        case .succeeded(let flow, _): flow
        case .failed(_, let flow): flow
        }
    }
}

extension Broker.FlowStatus {
    var name: String {
        switch self {
        case .pending: "pending"
        case .succeeded(let key): key == nil ? "redeemed" : "succeeded"
        case .failed(let error, _): error
        }
    }

    var key: CredentialKey? {
        if case .succeeded(let key) = self { key } else { nil }
    }
}
