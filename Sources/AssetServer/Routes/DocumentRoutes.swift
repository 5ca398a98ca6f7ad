import Assets
import Formats
import HTTPService
import Hummingbird

/// The routes of documents and their chunks.
struct DocumentRoutes: Sendable {
    let records: any AssetRecords
    let access: AssetAccess

    var routes: [Route] {
        [
            Route(
                template: "/v1/tenants/{tenant}/assets/{asset}/documents", handlers: [.get: list],
                cors: .configuredOrigins),
            Route(
                template: "/v1/tenants/{tenant}/assets/{asset}/documents/{document}",
                handlers: [.get: tell, .delete: delete],
                cors: .configuredOrigins),
            Route(
                template: "/v1/tenants/{tenant}/assets/{asset}/documents/{document}/chunks", handlers: [.get: chunks],
                cors: .configuredOrigins),
        ]
    }

    @Sendable private func list(_ request: Request, _ context: Context) async throws -> Response {
        let tenant = try await access.reader(request, context.parameters)
        let asset = try context.parameters.asset
        let query = try PageQuery(request.query, of: .documents)
        let page = try await found { () throws(AssetStoreError) in
            try await records.documents(of: asset, tenant, matching: query.search, query.request)
        }
        return try .answer(query.json(page, \.json))
    }

    @Sendable private func tell(_ request: Request, _ context: Context) async throws -> Response {
        let tenant = try await access.reader(request, context.parameters)
        let (asset, id) = (try context.parameters.asset, try context.parameters.document)
        let document = try await found { () throws(AssetStoreError) in
            try await records.document(id, of: asset, tenant)
        }
        return try .answer(document.json)
    }

    @Sendable private func delete(_ request: Request, _ context: Context) async throws -> Response {
        let (tenant, _) = try await access.writer(request, context.parameters)
        let (asset, id) = (try context.parameters.asset, try context.parameters.document)
        let wasThere = try await kept { () throws(AssetStoreError) in
            try await records.deleteDocument(id, of: asset, tenant)
        }
        guard wasThere else { throw Problem.nothingThere }
        return .done
    }

    @Sendable private func chunks(_ request: Request, _ context: Context) async throws -> Response {
        let tenant = try await access.reader(request, context.parameters)
        let (asset, id) = (try context.parameters.asset, try context.parameters.document)
        let query = try PageQuery(request.query, of: .chunks)
        let page = try await found { () throws(AssetStoreError) in
            try await records.chunks(of: id, asset, tenant, query.request)
        }
        return try .answer(
            .object([
                "documentId": .string(id.description), "chunks": .array(page.items.map { $0.json(of: id) }),
                "totalChunks": .count(page.totalCount), "nextPageToken": query.token(page.next),
            ]))
    }
}
