import Broker
import Formats
import HTTPService
import Hummingbird

extension Scope {
    static let assetsRead = Scope("assets:read")
    static let assetsWrite = Scope("assets:write")
    static let credentialsWrite = Scope("credentials:write")
    static let brokerAdmin = Scope("broker:admin")
}

extension BearerTokenVerifier {
    /// The path's tenant, once its caller is known to be of it and to hold one of `scopes`.
    func tenant(
        _ path: PathParameters, of request: Request, _ context: Context, anyOf scopes: [Scope]
    ) async throws -> (TenantID, Requester) {
        let (tenant, claims) = try await caller(of: request, to: path, anyOf: scopes)
        return (tenant, Requester(request, in: context, claims: claims))
    }

    /// The operator who calls, once they are known to be one.
    func administrator(_ request: Request, _ context: Context) async throws -> Requester {
        do {
            return Requester(request, in: context, claims: try await verify(request, for: nil, anyOf: [.brokerAdmin]))
        } catch {
            throw error.problem
        }
    }
}

extension Requester {
    init(_ request: Request, in context: Context, claims: AccessTokenClaims? = nil) {
        self.init(
            subject: claims?.subject, tokenID: claims?.tokenID,
            remoteAddress: context.clientAddress(of: request)?.description, requestID: context.requestID)
    }
}
