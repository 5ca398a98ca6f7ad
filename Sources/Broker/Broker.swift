public import Secrets

/// The domain: begins flows, takes callbacks, hands out credentials once.
///
/// Holds no mutable state: what lasts is in the store, what is shared is immutable.
public struct Broker: Sendable {
    /// What an operator decides.
    public struct Settings: Sendable {
        /// Where browsers reach this broker, without a trailing slash. The redirect address is under it.
        public var publicURL: StrictURL
        /// Never empty; the first is the default.
        public var frontendOrigins: [Origin]
        /// Seconds.
        public var stateLifetime: Int64
        /// Seconds.
        public var credentialKeyLifetime: Int64
        /// Every flow counts as begun in the browser that brings its callback: for an operator's trial, whose broker
        /// serves nobody else.
        package var isTrial = false

        public init(
            publicURL: StrictURL, frontendOrigins: [Origin], stateLifetime: Int64 = 600,
            credentialKeyLifetime: Int64 = 300
        ) {
            self.publicURL = publicURL
            self.frontendOrigins = frontendOrigins
            self.stateLifetime = stateLifetime
            self.credentialKeyLifetime = credentialKeyLifetime
        }

        /// The redirect address that operators register at providers (RFC 6749 § 3.1.2).
        public var redirectURI: String { publicURL.text + "/oauth/callback" }
    }

    public let settings: Settings
    public let catalog: Catalog
    let clients: [String: Client]
    let keyRing: KeyRing
    let vault: Vault
    let secrets: FlowSecrets
    let store: any FlowStore
    let transport: any Transport
    let directory: ProviderDirectory
    let refreshes: Refreshes
    let now: @Sendable () -> Timestamp
    let report: @Sendable (Event) -> Void

    /// - Parameters:
    ///   - clients: by source type or provider; the source type's own comes first.
    ///   - now: the clock.
    ///   - report: told what happens, on the way of the request: must not block.
    public init(
        settings: Settings, catalog: Catalog, clients: [String: Client], keyRing: KeyRing, store: any FlowStore,
        transport: any Transport, now: @escaping @Sendable () -> Timestamp,
        report: @escaping @Sendable (Event) -> Void = { _ in }
    ) {
        self.settings = settings
        self.catalog = catalog
        self.clients = clients
        self.keyRing = keyRing
        vault = Vault(keyRing: keyRing)
        secrets = FlowSecrets(keyRing: keyRing)
        self.store = store
        self.transport = transport
        directory = ProviderDirectory(transport: transport, allowInsecure: catalog.allowsInsecure, now: now)
        refreshes = Refreshes(now: now)
        self.now = now
        self.report = report
    }

    /// The client that a flow of this source type would use.
    public func client(for sourceType: SourceType) -> Client? {
        clients[sourceType.id.description] ?? clients[sourceType.provider]
    }

    /// Whether a flow of this source type could start now.
    public func isConfigured(_ sourceType: SourceType) -> Bool {
        sourceType.isConfigured(by: client(for: sourceType))
    }

    /// Deletes what has expired, in batches small enough to let requests through.
    public func sweep() async throws(StoreError) {
        while try await store.sweep(at: now(), limit: 500) {}
    }

    /// Whether a callback should be put off: its state and code would be spent, and no request to the provider might be
    /// possible.
    public var isOverloaded: Bool { transport.isBusy }

    /// Throws unless flows could be kept and sealed now.
    public func check() async throws(StoreError) {
        try await store.check()
    }
}
