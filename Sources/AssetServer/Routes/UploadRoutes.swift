import Assets
import Formats
import HTTPService
import Hummingbird

/// The route of uploads.
struct UploadRoutes: Sendable {
    let assets: AssetRoutes
    let bounds: UploadBounds

    var routes: [Route] {
        [
            Route(
                template: "/v1/tenants/{tenant}/assets:file", handlers: [.post: create], cors: .configuredOrigins,
                largestBody: bounds.bodyBytes)
        ]
    }

    @Sendable private func create(_ request: Request, _ context: Context) async throws -> Response {
        let caller = try await assets.access.writer(request, context.parameters)
        let key = try IdempotentCalls.key(of: request, for: caller.tenant)
        let form = try await FormReceiver.form(of: request, bounds, by: assets.catalog, into: assets.uploads)
        let maker = AssetCreation.Maker(tenant: caller.tenant, subject: caller.subject, idempotency: key)
        let outcome: IdempotentCalls.Outcome
        do {
            outcome = try await assets.idempotent.carryOut(
                key, RequestDigest.of(.post, request.uri.path, form.identity)
            ) { () throws(Problem) in
                try await assets.creation.create(try UploadPayload(form.payload), form.upload, by: maker)
            }
        } catch {
            await assets.uploads.remove(form.upload.storedName)
            throw error
        }
        switch outcome {
        case .carriedOut: assets.signals.wake()
        // The file is there already.
        case .known: await assets.uploads.remove(form.upload.storedName)
        }
        return try assets.created(outcome.made)
    }
}
