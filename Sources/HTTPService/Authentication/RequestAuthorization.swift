package import Formats
package import Hummingbird

extension PathParameters {
    /// The path's tenant; throws `invalid_request` where its name has not the form of one.
    package var tenant: TenantID {
        get throws {
            try Self.tenant(self["tenant"] ?? "")
        }
    }

    /// The tenant of a name; throws `invalid_request` where that has not the form of one.
    package static func tenant(_ name: some StringProtocol) throws -> TenantID {
        guard let tenant = TenantID(name) else {
            throw Problem.invalidRequest("the tenant must match \(TenantID.pattern)")
        }
        return tenant
    }
}

extension BearerTokenVerifier {
    /// The path's tenant, once its caller is known to be of it and to hold one of `scopes`; throws a `Problem`.
    package func caller(
        of request: Request, to path: PathParameters, anyOf scopes: [Scope]
    ) async throws -> (TenantID, AccessTokenClaims) {
        let tenant = try path.tenant
        do {
            return (tenant, try await verify(request, for: tenant, anyOf: scopes))
        } catch {
            throw error.problem
        }
    }
}
