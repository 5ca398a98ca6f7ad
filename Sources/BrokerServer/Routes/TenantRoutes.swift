import Broker
import Formats
import Foundation
import HTTPService
import HTTPTypes
import Hummingbird
import NIOCore
import Secrets

/// The routes that a tenant's frontend and asset services call.
struct TenantRoutes: Sendable {
    let broker: Broker
    let verifier: BearerTokenVerifier
    let limits: RateLimits

    var routes: [Route] {
        [
            Route(
                template: "/v1/tenants/{tenant}/assets:sourceTypes", handlers: [.get: sourceTypes],
                cors: .configuredOrigins),
            Route(
                template: "/v1/tenants/{tenant}/assets:authorize", handlers: [.post: authorize],
                cors: .configuredOrigins),
            Route(
                template: "/v1/tenants/{tenant}/assets:oauthCredentials",
                handlers: [
                    .get: limits.redeem.around(redeemByQuery),
                    .head: Route.spendingNothing(answering: "application/json"),
                    .post: limits.redeem.around(redeemByBody),
                ], cors: .configuredOrigins),
            Route(
                template: "/v1/tenants/{tenant}/assets:oauthFlow",
                handlers: [.get: outcomeByQuery, .post: outcomeByBody], cors: .configuredOrigins),
        ]
    }

    // MARK: assets:sourceTypes

    @Sendable private func sourceTypes(_ request: Request, _ context: Context) async throws -> Response {
        let (tenant, _) = try await verifier.tenant(
            context.parameters, of: request, context, anyOf: [.assetsRead, .assetsWrite])
        do {
            let client = try await broker.clients(of: tenant)
            // The first list reads the whole catalog.
            return .json(
                await blocking { [broker] in
                    SourceTypeList(broker.catalog, opening: broker.settings.resources, client: client)
                })
        } catch {
            throw Problem.unavailable(error)
        }
    }

    // MARK: assets:authorize

    private struct AuthorizeBody: Decodable {
        let sourceType: String
        let parameters: [String: String]?
        let scopes: [String]?
        let returnUrl: String?
        let exchangeChallenge: String?
        let frontendOrigin: String?
        let loginHint: String?
        let prompt: String?

        /// A cheaper reading than the decoder's of what is written as expected; `nil` where a member is of another type
        /// than it should be, which the decoder names.
        init?(_ value: JSONValue) {
            guard case .object(let members) = value else { return nil }
            var isSound = true
            func text(_ name: String) -> String? {
                switch members[name] {
                case .string(let text)?: return text
                case nil, .null?: return nil
                default:
                    isSound = false
                    return nil
                }
            }
            var parameters: [String: String]?
            switch members["parameters"] {
            case .object(let given)?:
                parameters = given.compactMapValues(\.string)
                isSound = parameters?.count == given.count
            case nil, .null?: break
            default: return nil
            }
            var scopes: [String]?
            switch members["scopes"] {
            case .array(let given)?:
                scopes = given.compactMap(\.string)
                isSound = isSound && scopes?.count == given.count
            case nil, .null?: break
            default: return nil
            }
            guard let sourceType = text("sourceType") else { return nil }
            self.sourceType = sourceType
            self.parameters = parameters
            self.scopes = scopes
            returnUrl = text("returnUrl")
            exchangeChallenge = text("exchangeChallenge")
            frontendOrigin = text("frontendOrigin")
            loginHint = text("loginHint")
            prompt = text("prompt")
            guard isSound else { return nil }
        }
    }

    @Sendable private func authorize(_ request: Request, _ context: Context) async throws -> Response {
        let (tenant, requester) = try await verifier.tenant(
            context.parameters, of: request, context, anyOf: [.assetsWrite])
        // Once it is known who calls, so that nobody uses up another tenant's share.
        return try await limits.authorize.admit(.name(tenant.description)) {
            try await authorize(request, for: tenant, by: requester)
        }
    }

    private func authorize(
        _ request: Request, for tenant: TenantID, by requester: Requester
    ) async throws -> Response {
        let given = try await request.json()
        let body = try AuthorizeBody(given.value) ?? given.decoded(as: AuthorizeBody.self)
        let authorization: Authorization
        do {
            authorization = try await broker.authorize(
                AuthorizeRequest(
                    tenant: tenant, sourceType: body.sourceType, parameters: body.parameters ?? [:],
                    scopes: body.scopes, returnURL: body.returnUrl, exchangeChallenge: body.exchangeChallenge,
                    frontendOrigin: request.headers[.origin] ?? body.frontendOrigin, loginHint: body.loginHint,
                    prompt: body.prompt, requester: requester))
        } catch {
            throw error.problem.asked(for: body.sourceType, by: tenant)
        }
        var json = JSONWriter()
        json.literal("{\"authorizationUrl\":")
        authorization.url.expose { json.string($0) }
        json.literal(",\"flow\":")
        json.string(authorization.flow.description)
        json.literal(",\"expiresAt\":")
        json.number(authorization.expiresAt.milliseconds)
        // Only where true: `connect.js` then waits longer for a popup that seems closed.
        json.literal(authorization.cutsOpener ? ",\"cutsOpener\":true}" : "}")
        return .json(json.bytes)
    }

    // MARK: assets:oauthCredentials

    /// One answer for every kind of bad key: unknown, malformed, used, expired, revoked, another's
    /// (Docs/Contract.md#redeeming).
    private static let invalidKey = Problem(
        status: .badRequest, code: "invalid_credential_key",
        detail: "the credential key is not valid here; connect again and redeem the new key once, before it expires")

    @Sendable private func redeemByQuery(_ request: Request, _ context: Context) async throws -> Response {
        // What a browser fetches ahead may never be seen by anyone: nothing is spent on it.
        if request.isPrefetch { throw Problem.lookAhead }
        let query = request.query
        return try await redeem(
            try query["credentialKey"], verifier: try query["exchangeVerifier"], at: context.parameters,
            by: Requester(request, in: context))
    }

    @Sendable private func redeemByBody(_ request: Request, _ context: Context) async throws -> Response {
        let members = try await request.json().members
        return try await redeem(
            members["credentialKey"]?.string, verifier: members["exchangeVerifier"]?.string, at: context.parameters,
            by: Requester(request, in: context))
    }

    /// No shape of key is looked at first, and a verifier that RFC 7636 § 4.1 does not allow is none: all that is wrong
    /// takes the same way and the same time.
    private func redeem(
        _ key: String?, verifier: String?, at path: PathParameters, by requester: Requester
    ) async throws -> Response {
        let tenant = try path.tenant
        let json: SecretBytes?
        do {
            json = try await broker.redeem(
                CredentialKey(key ?? ""), for: tenant, verifier: verifier.flatMap { ExchangeVerifier(checking: $0) },
                by: requester)
        } catch {
            switch error {
            case .store(let error): throw Problem.unavailable(error, unspent: true)
            // The event has the reason, with this request's id.
            case .sealBroken: throw Problem.internalError
            }
        }
        guard let json else { throw Self.invalidKey }
        return json.expose { .json($0) }
    }

    // MARK: assets:oauthFlow

    private struct FlowAnswer: Encodable {
        var status: String
        var credentialKey: CredentialKey?
        var error: String?
        var errorDescription: String?

        enum Key: CodingKey { case status, credentialKey, error, errorDescription }

        func encode(to encoder: any Encoder) throws {
            var members = encoder.container(keyedBy: Key.self)
            try members.encode(status, forKey: .status)
            try credentialKey?.expose { try members.encode($0, forKey: .credentialKey) }
            try members.encodeIfPresent(error, forKey: .error)
            try members.encodeIfPresent(errorDescription, forKey: .errorDescription)
        }
    }

    @Sendable private func outcomeByQuery(_ request: Request, _ context: Context) async throws -> Response {
        let query = request.query
        return try await outcome(of: try query["flow"], verifier: try query["exchangeVerifier"], at: context.parameters)
    }

    /// Keeps the verifier out of addresses, and so out of logs.
    @Sendable private func outcomeByBody(_ request: Request, _ context: Context) async throws -> Response {
        let members = try await request.json().members
        return try await outcome(
            of: members["flow"]?.string, verifier: members["exchangeVerifier"]?.string, at: context.parameters)
    }

    private func outcome(of flow: String?, verifier: String?, at path: PathParameters) async throws -> Response {
        let tenant = try path.tenant
        var answer = FlowAnswer(status: "pending")
        if let id = flow.flatMap({ FlowID($0) }), let verifier = verifier.flatMap({ ExchangeVerifier(checking: $0) }) {
            let status: Broker.FlowStatus
            do {
                status = try await broker.flowStatus(of: id, for: tenant, verifier: verifier)
            } catch {
                throw Problem.unavailable(error)
            }
            switch status {
            case .pending: break
            case .succeeded(let key):
                answer = FlowAnswer(status: "succeeded", credentialKey: key)
            case .failed(let error, let description):
                answer = FlowAnswer(status: "failed", error: error, errorDescription: description)
            }
        }
        return .json(answer)
    }
}
