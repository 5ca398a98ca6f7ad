public import Broker
import Formats
public import HTTPService
import HTTPTypes
public import Hummingbird
public import HummingbirdCore
public import Logging
public import OTLPTracing

/// The broker over HTTP: its routes, its pages, and the rules on who may call them.
public struct BrokerServer: Sendable {
    private let service: ServiceResponder
    private let operatorService: ServiceResponder
    private let metrics: BrokerMetrics

    /// Throws where a page's template cannot be read.
    /// - Parameters:
    ///   - separatesOperators: the admin API and `/metrics` are at `operatorResponder` alone.
    ///   - share: the brokers among which shared limits are divided.
    ///   - now: the clock of the limits.
    public init(
        broker: Broker, verifier: BearerTokenVerifier, limits: Limits = Limits(),
        share: LimitShare = LimitShare(), proxies: TrustedProxies = TrustedProxies(),
        separatesOperators: Bool = false,
        metrics: BrokerMetrics = BrokerMetrics(), tracer: OTLPTracer? = nil, logger: Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) throws {
        self.metrics = metrics
        let settings = broker.settings
        let pages = try Pages(base: settings.publicURL.rest)
        let operations = OperationsRoutes(broker: broker, metrics: metrics)
        let admin = AdminRoutes(broker: broker, verifier: verifier)
        let limits = RateLimits(limits, share: share, now: now)
        let base = settings.publicURL.rest
        let forOperators = separatesOperators ? [] : [operations.scrape] + admin.routes
        service = ServiceResponder(
            routes: RouteTable(
                base: base,
                routes: BrowserRoutes(broker: broker, pages: pages, limits: limits).routes
                    + TenantRoutes(broker: broker, verifier: verifier, limits: limits).routes
                    + AssetServiceRoutes(broker: broker, verifier: verifier, metrics: metrics, limits: limits).routes
                    + operations.routes + forOperators),
            cors: CORS(frontends: settings.frontends), proxies: proxies, metrics: metrics.registry, tracer: tracer,
            logger: logger)
        operatorService = ServiceResponder(
            routes: RouteTable(base: base, routes: operations.operatorRoutes + admin.routes),
            cors: .none, proxies: proxies, metrics: metrics.registry, tracer: tracer, logger: logger)
    }

    /// Answers everybody's requests. With `separatesOperators`, the admin API and `/metrics` are not among its routes.
    public var responder: some HTTPResponder<Context> { service }

    /// The operators' routes, for a listener of its own. It has no CORS: no page of another origin may call it.
    public var operatorResponder: some HTTPResponder<Context> { operatorService }

    /// HTTP/1.1 for untrusted peers, in front of `responder`.
    public func listener(_ bounds: ListenerBounds) -> HTTPServerBuilder {
        service.listener(bounds, counting: metrics.connections("public", most: bounds.maxConnections))
    }

    /// The same in front of `operatorResponder`, with connections of its own: however many peers come to the
    /// other, operators get in.
    public func operatorListener(_ bounds: ListenerBounds) -> HTTPServerBuilder {
        operatorService.listener(bounds, counting: metrics.connections("admin", most: bounds.maxConnections))
    }
}

extension CORS {
    /// The pages of an installation's frontends; a tenant's are those of its own list, where it has one.
    fileprivate init(frontends: Frontends) {
        self.init { text, parameters in
            guard let origin = Origin(text) else { return false }
            return frontends[name: parameters["tenant"] ?? ""].allows(origin)
        }
    }
}
