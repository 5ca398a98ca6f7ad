public import Catalog
public import Formats
public import Secrets

/// The domain: begins flows, takes callbacks, hands out credentials once.
///
/// Holds no mutable state: what lasts is in the store, what is shared is immutable.
public struct Broker: Sendable {
    /// The settings that an operator decides.
    public struct Settings: Sendable {
        /// The address at which browsers reach this broker, without a trailing slash. The redirect addresses are under
        /// it.
        public var publicURL: StrictURL
        /// The pages that flows talk to and end at.
        public var frontends: Frontends
        /// Seconds.
        public var stateLifetime: Int64
        /// Seconds.
        public var credentialKeyLifetime: Int64
        /// The time for which the audit trail is kept, in seconds.
        public var auditEventLifetime: Int64
        /// The exchange verifier of an operator's trial, whose broker serves nobody else: every flow counts as begun in
        /// the browser that brings its callback.
        package var trialVerifier: ExchangeVerifier?

        public init(
            publicURL: StrictURL, frontends: Frontends, stateLifetime: Int64 = 600,
            credentialKeyLifetime: Int64 = 300, auditEventLifetime: Int64 = 90 * 86_400
        ) {
            self.publicURL = publicURL
            self.frontends = frontends
            self.stateLifetime = stateLifetime
            self.credentialKeyLifetime = credentialKeyLifetime
            self.auditEventLifetime = auditEventLifetime
        }
    }

    public let settings: Settings
    public let catalog: Catalog
    /// The installation's own, by source type or provider.
    let clients: [String: Client]
    /// The addresses to which flows come back.
    public let redirects: RedirectAddresses
    let tenantClients: TenantClients
    let keyRing: KeyRing
    let vault: Vault
    let secrets: FlowSecrets
    let store: any BrokerStore
    let transport: any ProviderTransport
    let directory: ProviderDirectory
    let refreshes: RefreshCoalescer
    /// Seals what only this process may open again.
    let processKey: KeyRing
    let readiness = Readiness()
    let now: @Sendable () -> Timestamp
    let steadyNow: @Sendable () -> ContinuousClock.Instant
    let report: @Sendable (Event) -> Void
    let tell: @Sendable (Incident) -> Void
    let unreadable = Told<FlowID>()

    /// - Parameters:
    ///   - clients: by source type or provider; the source type's own comes first.
    ///   - now: the clock.
    ///   - report: told what happens, on the way of the request: must not block.
    ///   - tell: told of failures that nobody is answered with, likewise.
    ///   - steadyNow: a clock that nobody sets, for what is kept a while.
    public init(
        settings: Settings, catalog: Catalog, clients: [String: Client], keyRing: KeyRing, store: any BrokerStore,
        transport: any ProviderTransport, now: @escaping @Sendable () -> Timestamp,
        report: @escaping @Sendable (Event) -> Void = { _ in },
        tell: @escaping @Sendable (Incident) -> Void = { _ in },
        steadyNow: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.settings = settings
        self.catalog = catalog
        self.clients = clients
        redirects = RedirectAddresses(publicURL: settings.publicURL.text, catalog: catalog, clients: clients)
        self.keyRing = keyRing
        vault = Vault(keyRing: keyRing)
        secrets = FlowSecrets(keyRing: keyRing)
        self.store = store
        self.transport = transport
        directory = ProviderDirectory(
            transport: transport, allowInsecure: catalog.allowsInsecure, now: steadyNow, tell: tell)
        refreshes = RefreshCoalescer(now: steadyNow)
        tenantClients = TenantClients(store: store, vault: vault, now: steadyNow)
        processKey = KeyRing.ephemeral()
        self.now = now
        self.steadyNow = steadyNow
        self.report = report
        self.tell = tell
    }

    /// The client of a flow: the tenant's own, else the installation's.
    public func client(for sourceType: SourceType, of tenant: TenantID) async throws(StoreError) -> Client? {
        try await tenantClients.all(of: tenant)[sourceType.id] ?? sharedClient(for: sourceType)
    }

    /// The clients that each source type's flows of a tenant act as.
    public func clients(of tenant: TenantID) async throws(StoreError) -> (SourceType) -> Client? {
        let own = try await tenantClients.all(of: tenant)
        return { own[$0.id] ?? sharedClient(for: $0) }
    }

    /// The installation's client.
    public func sharedClient(for sourceType: SourceType) -> Client? {
        clients.client(for: sourceType)
    }

    /// Deletes what has expired, in batches small enough to let requests through.
    public func sweep() async throws(StoreError) {
        var isUnfinished = true
        while isUnfinished {
            let now = now()
            let swept = try await store.sweep(
                at: now, eventsSince: now.adding(seconds: -settings.auditEventLifetime), limit: 500)
            for event in swept.events { report(event) }
            isUnfinished = swept.isUnfinished
        }
    }

    /// Tells whether a callback should be put off before its state is spent: so many of its own tenant's wait to be
    /// exchanged that its browser would wait too long. What other tenants do never puts it off.
    public func putsOff(_ request: CallbackRequest) async -> Bool {
        // A store that fails here fails again when the state is claimed, and is told then.
        guard transport.isBusy, let state = request.state,
            let tenant = try? await store.outcome(of: FlowID(of: state))?.flow.tenant
        else { return false }
        return transport.isBusy(for: tenant)
    }

    /// The time that a call that can be made again waits for its turn.
    private static let longestWait = Duration.seconds(5)

    /// The cause of what a tenant's caller asks for now.
    func call(of tenant: TenantID) -> Cause { .call(tenant, until: steadyNow() + Self.longestWait) }

    /// Throws unless flows could be kept and sealed now.
    public func check() async throws(StoreError) {
        try await readiness.check(store)
    }
}

// Libraries describe what they run, for their logs: not with a whole catalog, and nobody's business besides.
extension Broker: CustomStringConvertible, CustomReflectable {
    public var description: String { "broker" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
