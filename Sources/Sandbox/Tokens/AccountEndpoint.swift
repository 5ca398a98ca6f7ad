import HTTPTypes
import Hummingbird

extension SandboxProvider {
    /// The account that an access token belongs to, as far as its scopes show it.
    private struct AccountAnswer: Encodable {
        let id: String
        let scope: String
        let name: String?
        let email: String?
        let files: [String]?

        init(_ grant: Grant) {
            id = grant.account.rawValue
            scope = grant.scopes.joined(separator: " ")
            let seesProfile = grant.scopes.contains("profile")
            name = seesProfile ? grant.account.name : nil
            email = seesProfile ? grant.account.email : nil
            files = grant.scopes.contains("files.read") ? grant.account.files : nil
        }
    }

    func addAccount(to router: Router<BasicRequestContext>) {
        router.get("/api/me") { request, _ in try await self.me(request) }
        router.on("/api/me", method: .options) { _, _ in
            Response(
                status: .noContent,
                headers: self.openToAll([
                    .accessControlAllowMethods: "GET", .accessControlAllowHeaders: "Authorization",
                    .accessControlMaxAge: "600",
                ]))
        }
    }

    /// The grant of the request's bearer token (RFC 6750 § 2.1).
    func grant(of request: Request) async -> Grant? {
        let words = request.headers[.authorization]?.split(separator: " ") ?? []
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        return await grants.grant(accessToken: String(words[1]))
    }

    private func me(_ request: Request) async throws -> Response {
        guard let grant = await grant(of: request) else {
            let headers: HTTPFields = [.wwwAuthenticate: #"Bearer realm="sandbox", error="invalid_token""#]
            return try .json(["error": "invalid_token"], status: .unauthorized, headers: openToAll(headers))
        }
        return try .json(AccountAnswer(grant), headers: openToAll([:]))
    }

    /// Any page may ask: the token is the right, and no cookie counts here.
    func openToAll(_ headers: HTTPFields) -> HTTPFields {
        var headers = headers
        headers[.accessControlAllowOrigin] = "*"
        return headers
    }
}
