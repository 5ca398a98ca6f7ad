import Broker
import Formats
import HTTPService
import HTTPTypes
import Hummingbird
import NIOCore
import Secrets

/// The routes that asset services call for tokens that they hold: the broker alone has the clients' secrets.
struct AssetServiceRoutes: Sendable {
    let broker: Broker
    let verifier: BearerTokenVerifier
    let metrics: BrokerMetrics
    let limits: RateLimits

    var routes: [Route] {
        [
            Route(
                template: "/v1/tenants/{tenant}/assets:refreshCredentials",
                handlers: [.post: metrics.refreshes.around(refresh)],
                cors: .configuredOrigins),
            Route(
                template: "/v1/tenants/{tenant}/assets:revokeCredentials",
                handlers: [.post: metrics.revocations.around(revoke)],
                cors: .configuredOrigins),
        ]
    }

    private struct RefreshBody: Decodable {
        let sourceType: String
        let refreshToken: SecretMember<Use.RefreshToken>
        let parameters: [String: String]?
        let scopes: [String]?
    }

    @Sendable private func refresh(_ request: Request, _ context: Context) async throws -> Response {
        let (tenant, requester) = try await verifier.tenant(
            context.parameters, of: request, context, anyOf: [.credentialsWrite])
        return try await limits.refresh.admit(.name(tenant.description)) {
            try await refresh(request, for: tenant, by: requester)
        }
    }

    private func refresh(
        _ request: Request, for tenant: TenantID, by requester: Requester
    ) async throws -> Response {
        let body = try await request.json(RefreshBody.self)
        try Self.check(body.refreshToken.secret, "refreshToken")
        let json: SecretBytes
        do {
            json = try await broker.refresh(
                RefreshRequest(
                    tenant: tenant, sourceType: body.sourceType, refreshToken: body.refreshToken.secret,
                    parameters: body.parameters ?? [:], scopes: body.scopes,
                    requester: requester))
        } catch {
            throw error.problem.asked(for: body.sourceType, by: tenant)
        }
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: json.expose { ByteBuffer(bytes: $0) }))
    }

    private struct RevokeBody: Decodable {
        let sourceType: String
        let token: SecretMember<Use.AccessOrRefreshToken>
        let tokenTypeHint: String?
        let parameters: [String: String]?
    }

    @Sendable private func revoke(_ request: Request, _ context: Context) async throws -> Response {
        let (tenant, requester) = try await verifier.tenant(
            context.parameters, of: request, context, anyOf: [.credentialsWrite])
        return try await limits.revoke.admit(.name(tenant.description)) {
            try await revoke(request, for: tenant, by: requester)
        }
    }

    private func revoke(
        _ request: Request, for tenant: TenantID, by requester: Requester
    ) async throws -> Response {
        let body = try await request.json(RevokeBody.self)
        try Self.check(body.token.secret, "token")
        if let hint = body.tokenTypeHint, !["access_token", "refresh_token"].contains(hint) {
            throw Problem.invalidRequest(
                "the member \"tokenTypeHint\" must be access_token or refresh_token (RFC 7009 § 2.1)")
        }
        do {
            try await broker.revoke(
                TokenRevocationRequest(
                    tenant: tenant, sourceType: body.sourceType, token: body.token.secret,
                    tokenTypeHint: body.tokenTypeHint, parameters: body.parameters ?? [:],
                    requester: requester))
        } catch {
            throw error.problem.asked(for: body.sourceType, by: tenant)
        }
        return Response(status: .noContent, headers: [.cacheControl: "no-store"])
    }

    /// RFC 6749 appendix A.12 and A.17: a token is visible ASCII; an empty one asks for nothing.
    private static func check<Use>(_ token: Secret<Use>, _ member: String) throws {
        let isToken = token.expose { text in
            (1...16_384).contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
        }
        guard isToken else {
            throw Problem.invalidRequest("the member \"\(member)\" must be a token: 1 to 16384 visible characters")
        }
    }
}
