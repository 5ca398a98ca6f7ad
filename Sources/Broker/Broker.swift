public import Catalog
public import Formats
public import Secrets

/// The domain: begins flows, takes callbacks, hands out credentials once.
///
/// All that lasts is in the store. Beside it there are only caches, running calls, and a key that ends with the process.
/// A class, since each asynchronous call would copy its thirty fields.
public final class Broker: Sendable {
    /// The settings that an operator decides.
    public struct Settings: Sendable {
        /// The address at which browsers reach this broker, without a trailing slash; redirect addresses and pages are
        /// under it.
        public var publicURL: StrictURL
        /// The pages that flows send messages to and end at.
        public var frontends: Frontends
        /// The protected resources, such as MCP servers, that tenants may connect.
        public var resources = ResourceServers()
        /// The time from `authorize` within which the callback must come, in seconds.
        public var stateLifetime: Int64
        /// The time from the callback within which credentials must be redeemed, in seconds.
        public var credentialKeyLifetime: Int64
        /// The time for which the audit trail keeps events, in seconds.
        public var auditEventLifetime: Int64
        /// The exchange verifier of an operator's trial (`sources try`), whose broker serves nobody else: every flow
        /// counts as begun in the browser that brings its callback. `nil` in service.
        package var trialVerifier: ExchangeVerifier?

        /// Checks nothing; the configuration's reader does. The lifetimes default to ten minutes, five minutes and 90
        /// days.
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

    /// The settings it was made with; they do not change while it runs.
    public let settings: Settings
    /// The source types, read and checked at the start.
    public let catalog: Catalog
    /// The installation's own clients, by source type or provider.
    let clients: [String: Client]
    /// The addresses of the callbacks.
    public let redirects: RedirectAddresses
    let tenantClients: TenantClients
    let keyRing: KeyRing
    let vault: Vault
    let secrets: FlowSecrets
    let store: any BrokerStore
    let transport: any ProviderTransport
    let directory: ProviderDirectory
    let refreshes: RefreshCoalescer
    let resources: ResourceDirectory
    let registered: RegisteredClients
    /// Seals what only this process, and those it hands its key to, may open again: tokens that an operator may have
    /// revoked.
    let processKey: KeyRing
    let readiness = Readiness()
    let now: @Sendable () -> Timestamp
    let steadyNow: @Sendable () -> ContinuousClock.Instant
    /// Both clocks.
    private let moment: @Sendable () -> Moment
    let report: @Sendable (Event) -> Void
    let tell: @Sendable (Incident) -> Void
    let unreadable = Told<FlowID>()

    /// - Parameters:
    ///   - clients: the installation's, by source type or provider; the source type's own comes first.
    ///   - now: the wall clock.
    ///   - report: told of each event, within the request: must not block.
    ///   - tell: told of failures that no caller is told of, likewise.
    ///   - steadyNow: a monotonic clock, for caches and waiting times.
    ///   - machine: where other processes with the same store run; by default this process is believed to be alone.
    ///   - processKey: seals what no database may open; brokers that share one hand theirs to each other.
    ///   - pause: waits a while for what another process does, without a thread.
    public init(
        settings: Settings, catalog: Catalog, clients: [String: Client], keyRing: KeyRing, store: any BrokerStore,
        transport: any ProviderTransport, now: @escaping @Sendable () -> Timestamp,
        report: @escaping @Sendable (Event) -> Void = { _ in },
        tell: @escaping @Sendable (Incident) -> Void = { _ in },
        steadyNow: @escaping @Sendable () -> ContinuousClock.Instant = { .now }, machine: Machine? = nil,
        processKey: KeyRing = .ephemeral(),
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.settings = settings
        self.catalog = catalog
        self.clients = clients
        redirects = RedirectAddresses(publicURL: settings.publicURL.text, catalog: catalog, clients: clients)
        self.keyRing = keyRing
        vault = Vault(keyRing: keyRing)
        secrets = FlowSecrets(keyRing: keyRing)
        self.store = store
        let transport = DeadlineTransport(transport: transport, now: steadyNow)
        self.transport = transport
        directory = ProviderDirectory(
            transport: transport, allowInsecure: catalog.allowsInsecure, now: steadyNow, tell: tell)
        let machine = machine ?? .ofOneProcess(at: steadyNow())
        moment = { machine.moment(now(), at: steadyNow()) }
        refreshes = RefreshCoalescer(store: store, keyRing: keyRing, moment: moment, pause: pause) { refresh, error in
            tell(
                Incident(.refreshNotKept, error.reason, tenant: refresh.tenant, sourceType: refresh.sourceType))
        }
        resources = ResourceDirectory(
            transport: transport, allowInsecure: catalog.allowsInsecure, now: steadyNow, tell: tell)
        registered = RegisteredClients(store: store, keyRing: keyRing, tell: tell)
        tenantClients = TenantClients(store: store, vault: vault, tell: tell, now: steadyNow)
        self.processKey = processKey
        self.now = now
        self.steadyNow = steadyNow
        self.report = report
        self.tell = tell
    }

    /// The client that a tenant's flows act as: its own, else the installation's; `nil` where there is neither.
    public func client(for sourceType: SourceType, of tenant: TenantID) async throws(StoreError) -> Client? {
        switch try await tenantClients.all(of: tenant)[sourceType.id] {
        case .success(let own)?: return own
        case .failure(let error)?: throw error
        case nil:
            return sharedClient(for: sourceType).map { client in
                sourceType.oauth?.mintedSecret.map { client.minting($0, now: now()) } ?? client
            }
        }
    }

    /// The clients that a tenant's flows act as, by source type, read at once; `nil` also for one whose secret does not
    /// open, since no flow can start with it.
    public func clients(of tenant: TenantID) async throws(StoreError) -> @Sendable (SourceType) -> Client? {
        let own = try await tenantClients.all(of: tenant)
        return { [self] sourceType in
            switch own[sourceType.id] {
            case .success(let client)?: client
            case .failure?: nil
            case nil: sharedClient(for: sourceType)
            }
        }
    }

    /// The installation's client for a source type, whatever clients tenants have; `nil` where none is configured.
    public func sharedClient(for sourceType: SourceType) -> Client? {
        clients.client(for: sourceType)
    }

    /// Deletes what has expired, in batches small enough to let requests through, until nothing is left. Run
    /// periodically by the service; the events go to `report` as well.
    public func sweep() async throws(StoreError) {
        var isUnfinished = true
        while isUnfinished {
            let now = now()
            let swept = try await store.sweep(
                at: now, eventsSince: now.adding(seconds: -settings.auditEventLifetime), limit: 500)
            for event in swept.events { report(event) }
            isUnfinished = swept.isUnfinished
        }
        while try await store.sweepRefreshes(at: moment(), limit: 500) {}
        try await registered.sweep(at: now())
    }

    /// Tells whether a callback should be put off (503) before its state is spent: so many of its own tenant's flows
    /// wait to be exchanged that its browser would wait too long. Other tenants' load never puts it off.
    public func putsOff(_ request: CallbackRequest) async -> Bool {
        // A store that fails here fails again when the state is claimed, and is told then.
        guard transport.isBusy, let state = request.state,
            let tenant = try? await store.outcome(of: FlowID(of: state))?.flow.tenant
        else { return false }
        return transport.isBusy(for: tenant)
    }

    /// The longest time that a call that can be made again waits for its turn.
    private static let longestWait = Duration.seconds(5)

    /// The cause of requests that a tenant's caller asks for now.
    func call(of tenant: TenantID) -> Cause { .call(tenant, until: steadyNow() + Self.longestWait) }

    /// The time for all that is asked before a flow begins at a server that is found: a person waits, and the server
    /// decides how many requests it takes.
    private static let longestSearch = Duration.seconds(25)

    /// The cause of requests for a flow that is about to begin.
    func beginning(of tenant: TenantID, at entry: TenantEntry) -> Cause {
        guard entry.profile.resourceParameter != nil else { return call(of: tenant) }
        let now = steadyNow()
        return .call(tenant, until: now + Self.longestWait, end: now + Self.longestSearch)
    }

    /// Throws unless the store can write now. For `/readyz`; asks the store at most ten times a second.
    public func check() async throws(StoreError) {
        try await readiness.check(store)
    }
}

// Libraries describe the values that they run in their logs: this one without its catalog and clients.
extension Broker: CustomStringConvertible, CustomReflectable {
    /// One word: libraries put it into their logs, where a whole catalog has no place.
    public var description: String { "broker" }
    /// Empty, for the same reason, and so that `dump` shows no client.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
