import Broker
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Secrets

/// What a tenant's frontend and asset services call.
struct TenantRoutes: Sendable {
    let broker: Broker
    let callers: Callers
    let limits: RateLimits

    var routes: [Route] {
        [
            Route(
                template: "/v1/tenants/{tenant}/assets:sourceTypes", handlers: [.get: sourceTypes], isShared: true),
            Route(
                template: "/v1/tenants/{tenant}/assets:authorize", handlers: [.post: authorize], isShared: true),
            Route(
                template: "/v1/tenants/{tenant}/assets:oauthCredentials",
                handlers: [
                    .get: limits.redeem.around(redeemByQuery), .head: spendNothing,
                    .post: limits.redeem.around(redeemByBody),
                ], isShared: true),
            Route(
                template: "/v1/tenants/{tenant}/assets:oauthFlow",
                handlers: [.get: outcomeByQuery, .post: outcomeByBody], isShared: true),
        ]
    }

    // MARK: assets:sourceTypes

    @Sendable private func sourceTypes(
        _ request: Request, _ context: Context, _ path: PathNames
    ) async throws -> Response {
        let (tenant, _) = try await callers.tenant(path, of: request, context, anyOf: [.assetsRead, .assetsWrite])
        do {
            return .json(SourceTypeList(broker.catalog, client: try await broker.clients(of: tenant)))
        } catch {
            throw Problem.unavailable
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

        /// `nil` where a member is of another type than it should be.
        static func quick(_ members: [String: JSONValue]) -> AuthorizeBody? {
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
            let body = AuthorizeBody(
                sourceType: sourceType, parameters: parameters, scopes: scopes, returnUrl: text("returnUrl"),
                exchangeChallenge: text("exchangeChallenge"), frontendOrigin: text("frontendOrigin"))
            return isSound ? body : nil
        }
    }

    @Sendable private func authorize(
        _ request: Request, _ context: Context, _ path: PathNames
    ) async throws -> Response {
        let (tenant, requester) = try await callers.tenant(path, of: request, context, anyOf: [.assetsWrite])
        // Once it is known who calls, so that nobody uses up another tenant's share.
        return try await limits.authorize.admit(tenant) { try await authorize(request, tenant, requester) }
    }

    private func authorize(_ request: Request, _ tenant: TenantID, _ requester: Requester) async throws -> Response {
        let body = try await request.json(AuthorizeBody.self, quick: AuthorizeBody.quick)
        let authorization: Authorization
        do {
            authorization = try await broker.authorize(
                AuthorizeRequest(
                    tenant: tenant, sourceType: body.sourceType, parameters: body.parameters ?? [:],
                    scopes: body.scopes, returnURL: body.returnUrl, exchangeChallenge: body.exchangeChallenge,
                    frontendOrigin: request.headers[.origin] ?? body.frontendOrigin, requester: requester))
        } catch {
            throw error.problem
        }
        var json = JSONWriter()
        json.literal("{\"authorizationUrl\":")
        json.string(authorization.url)
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

    @Sendable private func redeemByQuery(
        _ request: Request, _ context: Context, _ path: PathNames
    ) async throws -> Response {
        // What a browser fetches ahead may never be seen by anyone: nothing is spent on it.
        if request.isPrefetch { throw Problem.unavailable }
        let query = request.query
        return try await redeem(
            try query["credentialKey"], try query["exchangeVerifier"], path, Requester(request, context))
    }

    @Sendable private func redeemByBody(
        _ request: Request, _ context: Context, _ path: PathNames
    ) async throws -> Response {
        let members = try await Self.members(request)
        return try await redeem(
            members["credentialKey"]?.string, members["exchangeVerifier"]?.string, path,
            Requester(request, context))
    }

    /// The members of a body of which nothing is told but that it is no JSON object.
    private static func members(_ request: Request) async throws -> [String: JSONValue] {
        guard case .object(let members) = try await request.json(JSONValue.self) else {
            throw Problem.invalidRequest("the body must be a JSON object")
        }
        return members
    }

    @Sendable private func spendNothing(
        _ request: Request, _ context: Context, _ path: PathNames
    ) async throws -> Response {
        Response(status: .ok, headers: [.cacheControl: "no-store", .contentType: "application/json"])
    }

    /// No shape of key is looked at first, and a verifier that RFC 7636 § 4.1 does not allow is none: all that is wrong
    /// takes the same way and the same time.
    private func redeem(
        _ key: String?, _ verifier: String?, _ path: PathNames, _ requester: Requester
    ) async throws -> Response {
        let tenant = try path.tenant
        let json: SecretBytes?
        do {
            json = try await broker.redeem(
                CredentialKey(key ?? ""), for: tenant, verifier: verifier.flatMap { ExchangeVerifier(checking: $0) },
                by: requester)
        } catch {
            switch error {
            case .store: throw Problem.unavailable
            case .sealBroken: throw error
            }
        }
        guard let json else { throw Self.invalidKey }
        return json.expose { .json($0) }
    }

    // MARK: assets:oauthFlow

    private struct FlowAnswer: Encodable {
        var status: String
        var credentialKey: String?
        var error: String?
        var errorDescription: String?
    }

    @Sendable private func outcomeByQuery(
        _ request: Request, _ context: Context, _ path: PathNames
    ) async throws -> Response {
        let query = request.query
        return try await outcome(of: try query["flow"], try query["exchangeVerifier"], path)
    }

    /// Keeps the verifier out of addresses, and so out of logs.
    @Sendable private func outcomeByBody(
        _ request: Request, _ context: Context, _ path: PathNames
    ) async throws -> Response {
        let members = try await Self.members(request)
        return try await outcome(of: members["flow"]?.string, members["exchangeVerifier"]?.string, path)
    }

    private func outcome(of flow: String?, _ verifier: String?, _ path: PathNames) async throws -> Response {
        let tenant = try path.tenant
        var answer = FlowAnswer(status: "pending")
        if let id = flow.flatMap({ FlowID($0) }), let verifier = verifier.flatMap({ ExchangeVerifier(checking: $0) }) {
            let progress: Broker.Progress
            do {
                progress = try await broker.progress(of: id, for: tenant, verifier: verifier)
            } catch {
                throw Problem.unavailable
            }
            switch progress {
            case .pending: break
            case .succeeded(let key): answer = FlowAnswer(status: "succeeded", credentialKey: key?.expose { $0 })
            case .failed(let error, let description):
                answer = FlowAnswer(status: "failed", error: error, errorDescription: description)
            }
        }
        return .json(answer)
    }
}

extension Response {
    private static let jsonHeaders: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]

    /// 200 with JSON that is not to be kept.
    static func json(_ value: some Encodable) -> Response {
        Response(status: .ok, headers: jsonHeaders, body: .json(value))
    }

    /// The same, of JSON that is written already.
    static func json(_ bytes: [UInt8]) -> Response {
        Response(status: .ok, headers: jsonHeaders, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
