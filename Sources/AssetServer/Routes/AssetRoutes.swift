import Assets
import Formats
import Foundation
import HTTPService
import HTTPTypes
import Hummingbird
import Secrets

/// The routes of assets: making, telling, changing, reading again, deleting.
struct AssetRoutes: Sendable {
    let catalog: AssetCatalog
    let creation: AssetCreation
    let records: any AssetRecords
    let uploads: any UploadStore
    let idempotent: IdempotentCalls
    let signals: IngestionSignals
    let access: AssetAccess
    let now: @Sendable () -> Timestamp

    var routes: [Route] {
        [
            Route(
                template: "/v1/tenants/{tenant}/assets", handlers: [.get: list, .post: create], cors: .configuredOrigins
            ),
            Route(
                template: "/v1/tenants/{tenant}/assets/{asset}",
                handlers: [.get: tell, .patch: change, .delete: delete],
                cors: .configuredOrigins),
            Route(
                template: "/v1/tenants/{tenant}/assets/{asset}:refresh", handlers: [.post: refresh],
                cors: .configuredOrigins),
            // Not built. The platform's client asks for it, and shall hear that it is not there, not that it is asked
            // in the wrong way.
            Route(
                template: "/v1/tenants/{tenant}/assets/{asset}:search", handlers: [.get: nothing, .post: nothing],
                cors: .configuredOrigins),
        ]
    }

    @Sendable private func nothing(_ request: Request, _ context: Context) async throws -> Response {
        throw Problem.nothingThere
    }

    // MARK: making

    @Sendable private func create(_ request: Request, _ context: Context) async throws -> Response {
        let caller = try await access.writer(request, context.parameters)
        let key = try IdempotentCalls.key(of: request, for: caller.tenant)
        let (bytes, members) = try await request.jsonWithBytes()
        let maker = AssetCreation.Maker(tenant: caller.tenant, subject: caller.subject, idempotency: key)
        let outcome = try await idempotent.carryOut(key, RequestDigest.of(.post, request.uri.path, [bytes])) {
            () throws(Problem) in
            try await creation.create(try CreateBody(members), by: maker)
        }
        if case .carriedOut = outcome { signals.wake() }
        return try created(outcome.made)
    }

    func created(_ made: AssetCreation.Made) throws -> Response {
        try .answer(json(made), .created, at: .path(of: made.asset.id, made.asset.tenant))
    }

    private func json(_ made: AssetCreation.Made) -> JSONValue {
        .object(["asset": made.asset.json(by: catalog), "operation": made.operation.json(by: catalog)])
    }

    // MARK: telling

    @Sendable private func list(_ request: Request, _ context: Context) async throws -> Response {
        let tenant = try await access.reader(request, context.parameters)
        let query = try PageQuery(request.query, of: .assets)
        let page = try await kept { () throws(AssetStoreError) in
            try await records.assets(of: tenant, matching: query.search, query.request)
        }
        return try .answer(query.json(page) { $0.json(by: catalog) })
    }

    @Sendable private func tell(_ request: Request, _ context: Context) async throws -> Response {
        let tenant = try await access.reader(request, context.parameters)
        return try .answer(try await asset(try context.parameters.asset, of: tenant).json(by: catalog))
    }

    private func asset(_ id: AssetID, of tenant: TenantID) async throws(Problem) -> Asset {
        try await found { () throws(AssetStoreError) in try await records.asset(id, of: tenant) }
    }

    // MARK: changing

    @Sendable private func change(_ request: Request, _ context: Context) async throws -> Response {
        let (tenant, _) = try await access.writer(request, context.parameters)
        let asset = try await asset(try context.parameters.asset, of: tenant)
        let body = try ChangeBody(try await request.json().members)
        var credentials: Sealed<AssetCredentials>?
        if let auth = body.auth { credentials = try await creation.credentials(auth, for: asset) }
        let sealed = credentials
        let changed = try await found { () throws(AssetStoreError) in
            try await records.change(
                asset.id, of: tenant, displayName: body.displayName, credentials: sealed, at: now())
        }
        return try .answer(.object(["asset": changed.json(by: catalog)]))
    }

    @Sendable private func delete(_ request: Request, _ context: Context) async throws -> Response {
        let (tenant, _) = try await access.writer(request, context.parameters)
        let id = try context.parameters.asset
        let deleted = try await found { () throws(AssetStoreError) in try await records.delete(id, of: tenant) }
        if let operation = deleted.operation { await signals.cancel(operation) }
        if let upload = deleted.upload { await uploads.remove(upload.storedName) }
        return .done
    }

    // MARK: reading again

    @Sendable private func refresh(_ request: Request, _ context: Context) async throws -> Response {
        let caller = try await access.writer(request, context.parameters)
        let id = try context.parameters.asset
        let key = try IdempotentCalls.key(of: request, for: caller.tenant)
        let (bytes, members) = try await request.optionalJSONWithBytes()
        let outcome = try await idempotent.carryOut(key, RequestDigest.of(.post, request.uri.path, [bytes])) {
            () throws(Problem) in
            let body = try RefreshBody(members)
            return try await refresh(
                NewRefresh(
                    operation: OperationID(UUID()), asset: id, tenant: caller.tenant, documents: body.documents,
                    isForced: body.isForced, createdBy: caller.subject, now: now()), key)
        }
        if case .carriedOut = outcome { signals.wake() }
        return try .answer(json(outcome.made), .accepted, at: .path(of: outcome.made.operation))
    }

    private func refresh(
        _ refresh: NewRefresh, _ key: IdempotencyKey?
    ) async throws(Problem) -> AssetCreation.Made {
        let admission: RefreshAdmission
        do { admission = try await records.refresh(refresh, idempotency: key) } catch { throw error.problem }
        switch admission {
        case .begun(let asset, let operation): return (asset, operation)
        case .inProgress(let operation): throw .operationInProgress(operation)
        case .unknownDocument: throw .unknownDocument
        case .noAsset: throw .nothingThere
        }
    }
}

/// What a store gives; throws `unavailable` where it fails.
func kept<Value>(_ read: () async throws(AssetStoreError) -> Value) async throws(Problem) -> Value {
    do { return try await read() } catch { throw error.problem }
}

/// The same; throws `not_found` where there is nothing.
func found<Value>(_ read: () async throws(AssetStoreError) -> Value?) async throws(Problem) -> Value {
    guard let value = try await kept(read) else { throw .nothingThere }
    return value
}
