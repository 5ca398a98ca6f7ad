import Broker
import Hummingbird

extension TenantPath {
    var tenant: TenantID {
        get throws {
            guard let tenant = TenantID(name) else {
                throw Problem.invalidRequest(
                    "the tenant in the address must match ^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
            }
            return tenant
        }
    }
}

extension Callers {
    /// The path's tenant, once its caller is known to be of it and to hold one of `scopes`.
    func tenant(_ path: TenantPath, of request: Request, anyOf scopes: [Scope]) async throws -> TenantID {
        let tenant = try path.tenant
        do {
            _ = try await caller(request, of: tenant, anyOf: scopes)
        } catch {
            throw error.problem
        }
        return tenant
    }
}
