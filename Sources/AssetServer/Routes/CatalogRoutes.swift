import Assets
import BrokerClient
import Formats
import HTTPService
import Hummingbird

/// The routes that tell what can be read, and by what it can be embedded.
struct CatalogRoutes: Sendable {
    let catalog: AssetCatalog
    let brokersTypes: SourceTypesAtBroker
    let access: AssetAccess

    // The platform's pages write a colon, and its client a slash.
    var routes: [Route] {
        [
            Route(
                template: "/v1/tenants/{tenant}/assets:sourceTypes", handlers: [.get: sourceTypes],
                cors: .configuredOrigins),
            Route(
                template: "/v1/tenants/{tenant}/assets/supportedTypes", handlers: [.get: supportedTypes],
                cors: .configuredOrigins),
            Route(
                template: "/v1/tenants/{tenant}/assets:supportedTypes", handlers: [.get: supportedTypes],
                cors: .configuredOrigins),
            Route(
                template: "/v1/tenants/{tenant}/assets/embeddingModels", handlers: [.get: embeddingModels],
                cors: .configuredOrigins),
            Route(
                template: "/v1/tenants/{tenant}/assets:embeddingModels", handlers: [.get: embeddingModels],
                cors: .configuredOrigins),
        ]
    }

    @Sendable private func sourceTypes(_ request: Request, _ context: Context) async throws -> Response {
        let tenant = try await access.reader(request, context.parameters)
        let known = await brokersTypes.list(for: tenant) ?? []
        let items = catalog.sourceTypes.map { sourceType in
            sourceType.json(asKnown: known.first { $0.name.isExactly(sourceType.name) })
        }
        return try .answer(.object(["items": .array(items), "totalCount": .count(items.count)]))
    }

    @Sendable private func supportedTypes(_ request: Request, _ context: Context) async throws -> Response {
        _ = try await access.reader(request, context.parameters)
        return try .answer(.object(["items": .array(catalog.supportedTypes.map(\.json))]))
    }

    @Sendable private func embeddingModels(_ request: Request, _ context: Context) async throws -> Response {
        _ = try await access.reader(request, context.parameters)
        return try .answer(.object(["items": .array(catalog.models.all.map(\.json))]))
    }
}
