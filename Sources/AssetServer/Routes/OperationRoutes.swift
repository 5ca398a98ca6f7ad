import Assets
import Formats
import HTTPService
import Hummingbird

/// The routes of operations: telling how far they are, and ending them.
struct OperationRoutes: Sendable {
    let catalog: AssetCatalog
    let records: any AssetRecords
    let signals: IngestionSignals
    let access: AssetAccess
    let now: @Sendable () -> Timestamp

    var routes: [Route] {
        [
            Route(
                template: "/v1/tenants/{tenant}/assets/{asset}/operations", handlers: [.get: list],
                cors: .configuredOrigins),
            Route(
                template: "/v1/tenants/{tenant}/assets/{asset}/operations/{operation}", handlers: [.get: tell],
                cors: .configuredOrigins),
            Route(
                template: "/v1/tenants/{tenant}/assets/{asset}/operations/{operation}:cancel",
                handlers: [.post: cancel], cors: .configuredOrigins),
        ]
    }

    @Sendable private func list(_ request: Request, _ context: Context) async throws -> Response {
        let tenant = try await access.reader(request, context.parameters)
        let asset = try context.parameters.asset
        let query = try PageQuery(request.query, of: .operations)
        let page = try await found { () throws(AssetStoreError) in
            try await records.operations(of: asset, tenant, query.request)
        }
        return try .answer(query.json(page) { $0.json(by: catalog) })
    }

    @Sendable private func tell(_ request: Request, _ context: Context) async throws -> Response {
        let tenant = try await access.reader(request, context.parameters)
        let (asset, id) = (try context.parameters.asset, try context.parameters.operation)
        let operation = try await found { () throws(AssetStoreError) in
            try await records.operation(id, of: asset, tenant)
        }
        return try .answer(operation.json(by: catalog))
    }

    @Sendable private func cancel(_ request: Request, _ context: Context) async throws -> Response {
        let (tenant, _) = try await access.writer(request, context.parameters)
        let (asset, id) = (try context.parameters.asset, try context.parameters.operation)
        let operation = try await found { () throws(AssetStoreError) in
            try await records.cancel(id, of: asset, tenant, at: now())
        }
        if !operation.status.isDone { await signals.cancel(id) }
        return try .answer(operation.json(by: catalog))
    }
}
