public import Broker
import HTTPTypes
public import Hummingbird
public import Logging

/// The broker over HTTP: routes, pages, who may call.
public struct BrokerServer: Sendable {
    private let frame: Frame

    /// Throws where a page's template cannot be read.
    public init(broker: Broker, callers: Callers, logger: Logger) throws {
        let settings = broker.settings
        let origins = settings.frontendOrigins.map(\.description)
        let pages = try Pages(base: settings.publicURL.rest, origins: origins)
        let operations = OperationsRoutes(broker: broker)
        let admin = AdminRoutes(broker: broker, callers: callers)
        frame = Frame(
            routes: RouteTable(
                base: settings.publicURL.rest,
                plain: BrowserRoutes(broker: broker, pages: pages).routes + operations.routes + admin.routes,
                tenant: TenantRoutes(broker: broker, callers: callers).routes
                    + AssetServiceRoutes(broker: broker, callers: callers).routes,
                client: admin.clients),
            origins: Set(origins),
            logger: logger)
    }

    public var responder: some HTTPResponder<Context> { frame }
}
