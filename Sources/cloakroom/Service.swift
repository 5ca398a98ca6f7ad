import Broker
import BrokerServer
import CurlTransport
import Foundation
import Hummingbird
import Logging
import OTLPTracing
import PrometheusMetrics
import SQLiteStore
import Secrets
import ServiceContextModule
import ServiceLifecycle
import UnixSignals

/// The broker as a process: what a configuration becomes when it runs.
struct Service {
    /// In the order in which they start; they stop in the other, so that operators see to the end.
    private let listeners: [ListenerService]
    private let sweeper: Sweeper
    private let exporter: SpanExporter?
    private let keys: KeyWatcher?
    let broker: Broker
    private let store: SQLiteStore
    private let transport: CurlTransport
    private let logger: Logger

    /// - Parameter onListening: called once connections are taken.
    init(_ configuration: Configuration, onListening: @escaping @Sendable () -> Void = {}) throws {
        let logger = Logger(label: "cloakroom") { _ in
            LogLines(format: configuration.logFormat, logLevel: configuration.logLevel)
        }
        self.logger = logger
        do throws(OpeningError) {
            store = try SQLiteStore(
                path: configuration.storePath, keyRing: configuration.keyRing, bounds: configuration.bounds)
        } catch {
            throw Refusal("\(configuration.origin): \(error.line)", hint: error.hint)
        }
        var transfers = configuration.transport
        transfers.maxConcurrent = configuration.shares.inAll
        transport = CurlTransport(configuration: transfers)
        let figures = Self.figures(configuration, store, logger)
        exporter = configuration.tracing.map { SpanExporter($0, logger: logger) }
        let tracer = exporter?.tracer
        if let queue = exporter?.queue {
            figures.registry.declare(
                Family("cloakroom_spans_dropped_total", .counter, "Spans that the collector did not take.")
            ) { [Sample(Double(queue.droppedCount))] }
        }
        // Measured from a request's turn on: how long it waits for that is not the provider's doing.
        let calls = FairTransport(figures.measuring(transport, tracer: tracer), shares: configuration.shares)
        Self.declare(calls, transport, figures)
        let now: @Sendable () -> Timestamp = { .now }
        broker = Broker(
            settings: configuration.broker, catalog: configuration.catalog, clients: configuration.clients,
            keyRing: configuration.keyRing, store: store, transport: calls, now: now
        ) { event in
            figures.count(event)
            tracer?.add(event)
            // Of those the log has what the trail has, when it has it, or what it could not take: the store tells.
            if event.kind != .credentialKeyReused, event.kind != .credentialKeyRefused { Self.log(event, logger) }
        }
        let source: KeySource =
            switch configuration.callerKeys {
            case .fixed(let keys): .fixed(keys)
            case .address(let url): .address(url, calls)
            }
        let callers = Callers(rules: configuration.rules, keys: source, factory: figures.registry, now: now)
        let server = try BrokerServer(
            broker: broker, callers: callers, limits: configuration.limits, proxies: configuration.proxies,
            separatesOperators: configuration.operators != nil, figures: figures, tracer: tracer, logger: logger)
        sweeper = Sweeper(broker: broker, logger: logger)
        let broker = broker
        keys = configuration.masterKeyFile.map {
            KeyWatcher(file: MasterKeyFile(path: $0), broker: broker, logger: logger)
        }

        let (bounds, lowered) = Self.bounds(configuration)
        let warnings = configuration.warnings + lowered
        var listeners: [ListenerService] = []
        if let address = configuration.operators {
            var bounds = bounds
            bounds.maxConnections = min(Self.operatorConnections, bounds.maxConnections)
            listeners.append(
                ListenerService(
                    server.operatorResponder, server.operatorListener(bounds), at: address, setting: "admin",
                    logger: logger))
        }
        listeners.append(
            ListenerService(
                server.responder, server.listener(bounds),
                at: Configuration.Address(host: configuration.host, port: configuration.port), setting: "http",
                logger: logger
            ) {
                for warning in warnings { logger.warning("\(warning)") }
                onListening()
            })
        self.listeners = listeners
    }

    /// Of the listener that operators alone reach: people and a scraper or two.
    private static let operatorConnections = 256

    /// The bounds for as many connections as the process may have, and a line where those are fewer than it should.
    private static func bounds(_ configuration: Configuration) -> (ListenerBounds, [String]) {
        var bounds = configuration.listener
        let others = configuration.operators == nil ? 0 : operatorConnections
        let wanted = bounds.maxConnections
        bounds.maxConnections = max(1, FileDescriptors.connections(wanted: wanted + others) - others)
        guard bounds.maxConnections < wanted else { return (bounds, []) }
        return (
            bounds,
            [
                "http.maxConnections is \(wanted), and the process may open files for \(bounds.maxConnections): "
                    + "raise LimitNOFILE (ulimit -n)"
            ]
        )
    }

    /// Serves until SIGTERM or SIGINT, then lets what runs finish, for at most ten seconds.
    /// - Parameter others: what runs beside it and stops with it.
    func run(with others: [any ServiceLifecycle.Service] = []) async throws {
        let deadline = Deadline(store: store, transport: transport)
        let configuration = ServiceGroupConfiguration(
            services: ((exporter.map { [$0] } ?? []) + listeners + [sweeper] + (keys.map { [$0] } ?? []) + others + [
                deadline
            ]).map {
                .init(service: $0)
            },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "") { _ in SwiftLogNoOpLogHandler() })
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch {
            transport.shutdown()
            await store.close()
            throw error
        }
        transport.shutdown()
        await store.close()
        logger.notice("stopped")
    }

    /// Throws what opening the store would, without making or changing it.
    static func inspectStore(_ configuration: Configuration) throws {
        do throws(OpeningError) {
            try SQLiteStore.inspect(path: configuration.storePath, keyRing: configuration.keyRing)
        } catch {
            throw Refusal("\(configuration.origin): \(error.line)", hint: error.hint)
        }
    }

    private static func figures(
        _ configuration: Configuration, _ store: SQLiteStore, _ logger: Logger
    ) -> Figures {
        let sourceTypes = configuration.catalog.sourceTypes
        let figures = Figures(
            sourceTypes: sourceTypes.map(\.id),
            ready: sourceTypes.filter { $0.oauth != nil && configuration.isConfigured($0) }.map(\.id),
            version: Cloakroom.version)
        store.observe { [store = figures.store] event in
            switch event {
            case .committed(let operations, let duration): store.committed(operations, in: duration)
            case .failed: store.failed()
            case .refused: store.refused()
            case .recorded(let event): Self.log(event, logger)
            case .trailBroken(let sequence, let finding):
                store.trailIsBroken()
                Self.log(Event(.auditBroken, at: .now, detail: "at event \(sequence): \(finding)"), logger)
            }
        }
        figures.registry.declare(
            Family("cloakroom_store_queue_depth", .gauge, "Operations that wait for their commit.")
        ) { [Sample(Double(store.waitingCount))] }
        return figures
    }

    private static func declare(_ calls: FairTransport, _ transport: CurlTransport, _ figures: Figures) {
        figures.registry.declare(
            Family("cloakroom_transport_queue_depth", .gauge, "Requests that wait for their turn to go to a provider.")
        ) { [Sample(Double(calls.waitingCount + transport.waitingCount))] }
        figures.registry.declare(
            Family(
                "cloakroom_provider_calls_refused_total", .counter,
                "Requests of callers that waited for their turn in vain: their tenant or the provider has its share.")
        ) { [Sample(Double(calls.refusedCount))] }
    }

    private static func log(_ event: Event, _ logger: Logger) {
        let level: Logger.Level =
            switch event.kind {
            case .auditBroken: .error
            case .credentialKeyReused: .warning
            default: .info
            }
        guard logger.logLevel <= level else { return }
        var metadata: Logger.Metadata = ["event": .string(event.kind.rawValue)]
        if let tenant = event.tenant { metadata["tenant"] = .string(tenant.description) }
        if let sourceType = event.sourceType { metadata["source_type"] = .string(sourceType.description) }
        if let flow = event.flow { metadata["flow"] = .string(flow.description) }
        if let code = event.code { metadata["code"] = .string(code) }
        if let actor = event.requester.subject { metadata["actor"] = .string(actor) }
        if let tokenID = event.requester.tokenID { metadata["token_id"] = .string(tokenID) }
        if let address = event.requester.remoteAddress { metadata["remote_address"] = .string(address) }
        if let requestID = event.requester.requestID { metadata["request_id"] = .string(requestID) }
        if let detail = event.detail { metadata["detail"] = .string(detail) }
        if let trace = ServiceContext.current?.trace { metadata["trace_id"] = .string(trace.traceID) }
        logger.log(level: level, "flow", metadata: metadata)
    }
}

/// Gives up what takes longer than ten seconds to stop.
private struct Deadline: ServiceLifecycle.Service {
    let store: SQLiteStore
    let transport: CurlTransport

    func run() async throws {
        try? await gracefulShutdown()
        // Not a child: this ends, and the others are asked to stop, while it waits.
        Task.detached {
            try? await Task.sleep(for: .seconds(10))
            // Whoever waits for a provider fails now, and has a moment to be told.
            transport.shutdown()
            try? await Task.sleep(for: .milliseconds(300))
            await store.close()
            exit(0)
        }
    }
}

/// Deletes what has expired, every half minute.
private struct Sweeper: ServiceLifecycle.Service {
    let broker: Broker
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await broker.sweep()
                } catch {
                    logger.error("the store cannot be swept", metadata: ["reason": "\(error)"])
                }
                try? await Task.sleep(for: .seconds(30))
            }
        }
    }
}

extension Timestamp {
    static var now: Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }
}

extension OpeningError {
    var line: String {
        switch self {
        case .cannotCreate(let path, let reason): "storage.url: \"\(path)\" cannot be created or written: \(reason)"
        case .notADatabase(let path): "storage.url: \"\(path)\" is not an SQLite database"
        case .corrupt(let path, let finding): "storage.url: \"\(path)\" is damaged: \(finding)"
        case .anotherProgram(let path): "storage.url: \"\(path)\" is a database of another program"
        case .newer(let path): "storage.url: \"\(path)\" was made by a newer version of cloakroom"
        case .notDurable(let path):
            "storage.url: \"\(path)\" does not keep commits on the disk (synchronous is not FULL)"
        case .masterKeyMissing(let path, let id?):
            "masterKeyFile: found no key \"\(id)\", which \"\(path)\" was made with"
        case .masterKeyMissing(let path, nil):
            "masterKeyFile: found the right key id, but other bytes than \"\(path)\" was made with"
        case .failed(let path, let reason): "storage.url: \"\(path)\" cannot be opened: \(reason)"
        }
    }

    var hint: String {
        switch self {
        case .cannotCreate: "give the broker's user a folder that it may write"
        case .notADatabase, .anotherProgram: "name another file; this one was left as it is"
        case .corrupt: "restore a backup, or move the file away to start anew: connections under way are then lost"
        case .newer: "run that version, or name another file; this one was left as it is"
        case .masterKeyMissing: "put the key back into the master key file, or name another database"
        case .notDurable, .failed: "see whether the disk is full or the file is locked by another program"
        }
    }
}
