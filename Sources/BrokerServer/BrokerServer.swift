public import Broker
import HTTPTypes
public import Hummingbird
public import Logging
public import OTLPTracing

/// The broker over HTTP: routes, pages, who may call.
public struct BrokerServer: Sendable {
    private let frame: Frame

    /// Throws where a page's template cannot be read.
    /// - Parameter now: the clock of the limits.
    public init(
        broker: Broker, callers: Callers, limits: Limits = Limits(), proxies: TrustedProxies = TrustedProxies(),
        figures: Figures = Figures(), tracer: OTLPTracer? = nil, logger: Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) throws {
        let settings = broker.settings
        let origins = settings.frontendOrigins.map(\.description)
        let pages = try Pages(base: settings.publicURL.rest, origins: origins)
        let operations = OperationsRoutes(broker: broker, figures: figures)
        let admin = AdminRoutes(broker: broker, callers: callers)
        let limits = RateLimits(limits, now: now)
        frame = Frame(
            routes: RouteTable(
                base: settings.publicURL.rest,
                plain: BrowserRoutes(broker: broker, pages: pages, limits: limits).routes + operations.routes
                    + admin.routes,
                tenant: TenantRoutes(broker: broker, callers: callers, limits: limits).routes
                    + AssetServiceRoutes(broker: broker, callers: callers, figures: figures, limits: limits).routes,
                client: admin.clients),
            origins: Set(origins),
            proxies: proxies,
            figures: figures,
            tracer: tracer,
            logger: logger)
    }

    public var responder: some HTTPResponder<Context> { frame }
}
