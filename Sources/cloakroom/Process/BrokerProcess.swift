import ArgumentParser
import Broker
import BrokerServer
import CurlTransport
import Daemon
import Formats
import Foundation
import HTTPService
import Logging
import OTLPTracing
import PrometheusMetrics
import Secrets
import ServiceLifecycle
import StoreParts
import UnixSignals

/// The broker as a process, made of a configuration: its store, transport, listeners and background work.
struct BrokerProcess {
    /// In the order in which they start. They stop in the other, so that operators can watch until the end.
    private let listeners: [ListenerService]
    private let sweeper: Sweeper
    private let exporter: SpanExporter?
    private let keys: KeyWatcher?
    private let group: GroupMeetings?
    let broker: Broker
    private let store: any ObservableStore
    private let transport: CurlTransport
    private let logger: Logger

    /// - Parameter onListening: called once connections are taken.
    init(_ configuration: Configuration, onListening: @escaping @Sendable () -> Void = {}) throws {
        let logger = Logger(label: "cloakroom") { _ in
            LineLogHandler(format: configuration.logFormat, logLevel: configuration.logLevel)
        }
        self.logger = logger
        store = try configuration.openStore()
        var configuration = configuration
        configuration.remarks += try configuration.storeWarnings()
        var transfers = configuration.transport
        transfers.maxConcurrent = configuration.shares.inAll
        transport = CurlTransport(configuration: transfers)
        let metrics = configuration.metrics(version: Cloakroom.version)
        let log = EventLog(logger)
        metrics.observe(store, log: log, logger: logger)
        exporter = configuration.tracing.map {
            SpanExporter($0, service: "cloakroom", version: Cloakroom.version, logger: logger)
        }
        let tracer = exporter?.tracer
        // Measured from a request's turn on: how long it waits for that is not the provider's doing.
        let calls = FairTransport(metrics.measuring(transport, tracer: tracer), shares: configuration.shares)
        metrics.declare(calls: calls, transport: transport)
        metrics.registry.declare(log: .standardError)
        if let queue = exporter?.queue { metrics.registry.declare(spans: queue) }
        let now: @Sendable () -> Timestamp = { .now }
        let processKey = BrokerGroup.processKey()
        broker = Broker(
            settings: configuration.broker, catalog: configuration.catalog, clients: configuration.clients,
            keyRing: configuration.keyRing, store: store, transport: calls, now: now,
            report: { event in
                metrics.count(event)
                tracer?.add(event)
                // Of those the log has what the trail has, when it has it, or what it could not take: the store tells.
                if event.kind != .credentialKeyReused, event.kind != .credentialKeyRefused { log.write(event) }
            }, tell: { log.write($0) }, machine: .current, processKey: processKey)
        let share = LimitShare()
        group = (store as? any BrokerGroupStore).map {
            GroupMeetings(
                group: BrokerGroup(store: $0, masterKeys: configuration.keyRing, processKey: processKey), share: share,
                logger: logger)
        }
        let source: KeySource =
            switch configuration.callerKeys {
            case .fixed(let keys): .fixed(keys)
            case .address(let url): .address(url, calls)
            }
        let verifier = BearerTokenVerifier(
            rules: configuration.rules, keys: source, factory: metrics.registry, now: now,
            tell: { log.write(Incident($0)) })
        let server = try BrokerServer(
            broker: broker, verifier: verifier, limits: configuration.limits, share: share,
            proxies: configuration.proxies, separatesOperators: configuration.operators != nil, metrics: metrics,
            tracer: tracer, logger: logger)
        sweeper = Sweeper(broker: broker, logger: logger)
        let broker = broker
        keys = configuration.masterKeyFile.map { KeyWatcher(state: $0, broker: broker, logger: logger) }
        listeners = Self.listeners(configuration, server: server, logger: logger, onListening: onListening)
    }

    /// Serves until SIGTERM or SIGINT, then lets what runs finish, for at most ten seconds.
    ///
    /// - Parameter others: what runs beside it and stops with it.
    func run(with others: [any ServiceLifecycle.Service] = []) async throws {
        // The exporter first, so that it stops last and sends what the others' last requests made.
        var services: [any ServiceLifecycle.Service] = exporter.map { [$0] } ?? []
        services += listeners
        services.append(sweeper)
        if let keys { services.append(keys) }
        if let group { services.append(group) }
        services += others
        try await ServiceRun.run(services, logger: logger, cutOff: cutOff, close: close)
    }

    /// Whoever waits for a provider fails, and has a moment to be told.
    private func cutOff() async {
        await transport.shutdown()
        try? await Task.sleep(for: .milliseconds(300))
        await store.close()
    }

    /// The transport first: flows that wait for a provider fail while the store can still keep that.
    private func close() async {
        await transport.shutdown()
        await store.close()
    }
}

// MARK: listeners

extension BrokerProcess {
    /// Of the listener that operators alone reach: people and a scraper or two.
    private static let operatorConnections = 256

    /// The operators' listener first, where they have one of their own.
    private static func listeners(
        _ configuration: Configuration, server: BrokerServer, logger: Logger,
        onListening: @escaping @Sendable () -> Void
    ) -> [ListenerService] {
        let (bounds, lowered) = configuration.listener.withinDescriptors(
            beside: configuration.operators == nil ? 0 : operatorConnections)
        let warnings = configuration.warnings + lowered
        var listeners: [ListenerService] = []
        if let address = configuration.operators {
            var bounds = bounds
            bounds.maxConnections = min(operatorConnections, bounds.maxConnections)
            listeners.append(
                ListenerService(
                    server.operatorResponder, server.operatorListener(bounds), at: address, setting: "admin",
                    logger: logger))
        }
        listeners.append(
            ListenerService(
                server.responder, server.listener(bounds), at: configuration.address, setting: "http", logger: logger
            ) {
                for warning in warnings { logger.warning("\(warning)") }
                onListening()
            })
        return listeners
    }
}
