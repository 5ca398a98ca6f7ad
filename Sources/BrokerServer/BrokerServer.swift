public import Broker
import Formats
import HTTPTypes
public import Hummingbird
public import HummingbirdCore
public import Logging
public import OTLPTracing

/// The broker over HTTP: routes, pages, who may call.
public struct BrokerServer: Sendable {
    private let frame: Frame
    private let operatorFrame: Frame

    /// Throws where a page's template cannot be read.
    /// - Parameters:
    ///   - separatesOperators: the admin API and `/metrics` are at `operatorResponder` alone.
    ///   - now: the clock of the limits.
    public init(
        broker: Broker, callers: Callers, limits: Limits = Limits(), proxies: TrustedProxies = TrustedProxies(),
        separatesOperators: Bool = false,
        figures: Figures = Figures(), tracer: OTLPTracer? = nil, logger: Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) throws {
        let settings = broker.settings
        let pages = try Pages(base: settings.publicURL.rest)
        let operations = OperationsRoutes(broker: broker, figures: figures)
        let admin = AdminRoutes(broker: broker, callers: callers)
        let limits = RateLimits(limits, now: now)
        let base = settings.publicURL.rest
        let forOperators = separatesOperators ? [] : [operations.metrics] + admin.routes
        frame = Frame(
            routes: RouteTable(
                base: base,
                plain: BrowserRoutes(broker: broker, pages: pages, limits: limits, logger: logger).routes
                    + operations.routes
                    + forOperators,
                tenant: TenantRoutes(broker: broker, callers: callers, limits: limits).routes
                    + AssetServiceRoutes(broker: broker, callers: callers, figures: figures, limits: limits).routes,
                client: separatesOperators ? nil : admin.clients),
            frontends: settings.frontends,
            proxies: proxies,
            figures: figures,
            tracer: tracer,
            logger: logger)
        operatorFrame = Frame(
            routes: RouteTable(
                base: base, plain: operations.operatorRoutes + admin.routes, tenant: [], client: admin.clients),
            frontends: Frontends(origins: []), proxies: proxies, figures: figures, tracer: tracer, logger: logger)
    }

    public var responder: some HTTPResponder<Context> { frame }

    /// The operators' API, for a listener of its own.
    public var operatorResponder: some HTTPResponder<Context> { operatorFrame }

    /// HTTP/1.1 as strangers may speak it, in front of `responder`.
    public func listener(_ bounds: ListenerBounds) -> HTTPServerBuilder {
        frame.listener(bounds, name: "public")
    }

    /// The same in front of `operatorResponder`, with connections of its own: however many strangers come, operators
    /// get in.
    public func operatorListener(_ bounds: ListenerBounds) -> HTTPServerBuilder {
        operatorFrame.listener(bounds, name: "admin")
    }
}

extension Frame {
    fileprivate func listener(_ bounds: ListenerBounds, name: String) -> HTTPServerBuilder {
        let connections = figures.connections(name, most: bounds.maxConnections)
        return HTTPServerBuilder { responder in
            Listener(
                responder: responder, connections: connections, timeout: bounds.requestTimeout,
                refuse: { refuse($0, path: $1) })
        }
    }
}
