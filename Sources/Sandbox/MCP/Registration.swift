import HTTPTypes
import Hummingbird

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The applications that registered themselves (RFC 7591); the oldest are forgotten first.
actor Registrations {
    private static let capacity = 1000
    private var known: [String: SandboxProvider.Client] = [:]
    private var ages: [String] = []

    var clients: [String: SandboxProvider.Client] { known }

    func add(_ client: SandboxProvider.Client) {
        known[client.id] = client
        ages.append(client.id)
        if ages.count > Self.capacity { known[ages.removeFirst()] = nil }
    }
}

extension SandboxProvider {
    /// The members that are looked at (RFC 7591 § 2).
    private struct Registration: Codable {
        var redirectURIs: [String]
        var clientName: String?
        var authentication: String?

        enum CodingKeys: String, CodingKey {
            case redirectURIs = "redirect_uris"
            case clientName = "client_name"
            case authentication = "token_endpoint_auth_method"
        }
    }

    /// RFC 7591 § 3.2.1.
    private struct Registered: Encodable {
        let clientID: String
        let clientSecret: String?
        let secretExpiresAt: Int?
        let redirectURIs: [String]
        let authentication: String

        enum CodingKeys: String, CodingKey {
            case clientID = "client_id"
            case clientSecret = "client_secret"
            case secretExpiresAt = "client_secret_expires_at"
            case redirectURIs = "redirect_uris"
            case authentication = "token_endpoint_auth_method"
        }
    }

    func addRegistration(to router: Router<BasicRequestContext>) {
        router.post("/register") { request, _ in try await self.register(request) }
    }

    private func register(_ request: Request) async throws -> Response {
        guard let body = try? await request.body.collect(upTo: 64 * 1024),
            let asked = try? JSONDecoder().decode(Registration.self, from: Data(body.readableBytesView)),
            !asked.redirectURIs.isEmpty, asked.redirectURIs.allSatisfy({ $0.hasPrefix("http") })
        else { return try .json(["error": "invalid_redirect_uri"], status: .badRequest) }
        let authentication = asked.authentication ?? "client_secret_basic"
        let isPublic = authentication == "none"
        let client = Client(
            id: Base64URL.random(prefix: "sbx_client_"), secret: isPublic ? nil : Base64URL.random(),
            redirectURIs: asked.redirectURIs, name: asked.clientName)
        await registrations.add(client)
        return try .json(
            Registered(
                clientID: client.id, clientSecret: client.secret, secretExpiresAt: isPublic ? nil : 0,
                redirectURIs: client.redirectURIs, authentication: authentication), status: .created)
    }
}
