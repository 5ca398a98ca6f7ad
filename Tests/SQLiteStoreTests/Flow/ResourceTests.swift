import Broker
import Formats
import SQLiteStore
import Secrets
import StrictYAML
import Testing
import Transport

@testable import Catalog

/// Flows at servers that are found (RFC 9728), and the one registration at an authorization server that serves all
/// tenants.
@Suite struct ResourceTests {
    private let installation: Installation
    private let server = ScriptedResource()

    init() async throws {
        installation = try Installation(catalog: ScriptedResource.entry, clients: [:])
        await installation.provider.answers { [server] request async throws(TransportError) in
            try server.answer(request)
        }
    }

    private func request(
        tenant: String = "acme", url: String = ScriptedResource.url, scopes: [String]? = nil
    ) throws -> AuthorizeRequest {
        try AuthorizeRequest(
            tenant: Samples.tenant(tenant), sourceType: "found", parameters: ["url": url], scopes: scopes)
    }

    private func begin(tenant: String = "acme", scopes: [String]? = nil) async throws -> Begun {
        try Begun(await installation.broker.authorize(request(tenant: tenant, scopes: scopes)))
    }

    private func refresh(_ token: String) async throws {
        _ = try await installation.broker.refresh(
            RefreshRequest(
                tenant: Samples.tenant(), sourceType: "found", refreshToken: RefreshToken(token),
                parameters: ScriptedResource.parameters))
    }

    private func revoke() async throws {
        try await installation.broker.revoke(
            TokenRevocationRequest(
                tenant: Samples.tenant(), sourceType: "found", token: AccessOrRefreshToken("refresh-hunter2"),
                parameters: ScriptedResource.parameters))
    }

    private func requests(to url: String) async -> [ProviderRequest] {
        await installation.provider.requests.filter { $0.url == url }
    }

    /// The scopes of each registration request that was sent; `nil` where it named none.
    private func registeredScopes() async throws -> [String?] {
        try await requests(to: ScriptedResource.registration).map { request in
            try StrictJSON.object(request.body ?? [])["scope"]?.string
        }
    }

    // MARK: registrations

    @Test func `a registration asks for what the server publishes`() async throws {
        _ = try await begin(tenant: "first")
        #expect(try await registeredScopes() == ["profile read"])
    }

    @Test func `a scope that the server does not take costs nobody those that it knows`() async throws {
        server.answer(ScriptedResource.registration) { request in
            String(decoding: request.body ?? [], as: UTF8.self).contains("wrong")
                ? ProviderResponse(status: 400, body: Array(#"{"error":"invalid_client_metadata"}"#.utf8))
                : ProviderResponse(status: 201, body: Array(#"{"client_id":"c"}"#.utf8))
        }
        _ = try await begin(tenant: "first", scopes: ["wrong"])
        // Nor is it asked again.
        _ = try await begin(tenant: "first", scopes: ["wrong"])
        #expect(try await registeredScopes() == ["profile read wrong", "profile read"])
    }

    /// A server that hangs must not keep others from keys and metadata.
    @Test func `all that a server is asked is in the share of the tenant who names it`() async throws {
        _ = try await begin(tenant: "globex")
        let requests = await installation.provider.requests
        #expect(requests.map(\.url).last == ScriptedResource.registration)
        for request in requests {
            guard case .call(try Samples.tenant("globex"), _, _) = request.cause else {
                Issue.record("\(request.url) is asked in the share of \(request.cause)")
                continue
            }
        }
    }

    /// That a registration is unknown is told where tokens are issued. Revocation endpoints may want another client
    /// authentication than the token endpoint (RFC 8414 § 2), and say the same of a client that they know.
    @Test func `a revocation endpoint that refuses the client costs nobody the registration`() async throws {
        let first = try await begin()
        server.answer(ScriptedResource.revocation, #"{"error":"invalid_client"}"#, status: 401)
        let error = await #expect(throws: TokenRevocationError.self) { try await revoke() }
        guard case .provider(.rejected("invalid_client"?, _, _))? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        try await refresh("first")
        #expect(try await begin()["client_id"] == first["client_id"])
        server.answer(ScriptedResource.token, #"{"error":"invalid_client"}"#, status: 401)
        for token in ["second", "third"] {
            await #expect(throws: RefreshError.self) { try await refresh(token) }
            installation.clock.advance(seconds: 10)
        }
        #expect(try await begin()["client_id"] != first["client_id"])
    }

    /// Tokens belong to the client that they were issued to: whoever refreshes keeps it.
    @Test func `a registration that nobody used for 400 days is forgotten`() async throws {
        let first = try await begin()
        for token in ["first", "second"] {
            installation.clock.advance(seconds: 399 * Samples.day)
            try await installation.broker.sweep()
            try await refresh(token)
        }
        #expect(try await begin()["client_id"] == first["client_id"])
        installation.clock.advance(seconds: 400 * Samples.day)
        try await installation.broker.sweep()
        #expect(try await begin()["client_id"] != first["client_id"])
    }

    // MARK: failures

    /// Neither is a server passed over that nobody asked, nor is it told as its fault.
    @Test(arguments: [
        (TransportError.rateLimited, ProviderError.rateLimited), (.overloaded, .closed(.overloaded)),
        (.cancelled, .closed(.cancelled)),
    ])
    func `that the broker has too much to do is held against no server`(
        _ error: TransportError, _ told: ProviderError
    ) async throws {
        server.answer(ScriptedResource.metadata) { _ throws(TransportError) in throw error }
        await #expect(throws: AuthorizeError.provider(told)) { try await begin() }
        #expect(await requests(to: ScriptedResource.otherMetadata).isEmpty)
        #expect(installation.events.all.isEmpty && installation.events.incidents.isEmpty)
        server.answer(ScriptedResource.metadata) { _ throws(TransportError) in throw .connectionRefused }
        #expect(try await begin().url.hasPrefix(ScriptedResource.other))
    }

    /// At some servers the query is the secret by which they know their customer. `ORIGIN` stands for the server's, `URL`
    /// for the address that it was asked at.
    @Test(
        arguments: [
            (nil, nil, "answered 404 at \"ORIGIN\""), (nil, "[]", "no JSON object (\"ORIGIN\")"),
            (nil, #"{"resource":"URL"}"#, "names no authorization server"),
            (nil, #"{"resource":"ORIGIN/other?key=qu3ry-s3cret"}"#, "the document is for \"ORIGIN/other\", which"),
            ("Bearer resource_metadata=\"https://b.example/x?of=URL\"", nil, "elsewhere (\"https://b.example/x\")"),
        ] as [(String?, String?, String)])
    func `the query of a server's address is not in the trail`(
        _ challenge: String?, _ document: String?, _ words: String
    ) async throws {
        let (origin, query) = ("https://mcp.example.com", "?key=qu3ry-s3cret")
        let url = ScriptedResource.url + query
        let filled = { @Sendable (text: String) in text.replacing("URL", with: url).replacing("ORIGIN", with: origin) }
        server.answer(url) { _ in
            ProviderResponse(status: 401, headers: challenge.map { [("www-authenticate", filled($0))] } ?? [])
        }
        if let document { server.answer(ScriptedResource.document + query, filled(document)) }
        server.answer("\(origin)/.well-known/oauth-protected-resource", "{}", status: 404)
        await #expect(throws: AuthorizeError.self) {
            try await installation.broker.authorize(request(url: url))
        }
        let page = try await installation.store.events(EventFilter(), before: nil, limit: 10)
        #expect(page.events.map(\.event.kind) == [.flowFailed])
        let detail = try #require(page.events.first?.event.detail)
        #expect(detail.contains(filled(words)), "\(detail)")
        let told = detail + installation.events.incidents.map(\.reason.description).joined()
        #expect(!told.contains("qu3ry"), "\(told)")
    }

    // MARK: the client's metadata document

    /// Anybody may ask for it: it must not cost the reading of some hundreds of entries, nor the room for them.
    @Test func `the client metadata document reads no entry`() throws {
        let catalog = Catalog(allowInsecure: false, findings: Findings())
        let broker = Broker(
            settings: installation.broker.settings, catalog: catalog, clients: [:],
            keyRing: try KeyRing(Installation.firstKey), store: installation.store, transport: installation.provider,
            now: { Samples.now })
        let handle = String(repeating: "A", count: 22)
        let document = try StrictJSON.object(try #require(broker.clientMetadataDocument(handle)))
        #expect(
            document["redirect_uris"]
                == .array([.string("https://broker.example.com/oauth/callback/mcp_server/\(handle)")]))
        #expect(catalog.entries.allSatisfy { !$0.isRead })
    }
}

/// A server with two authorization servers that lets clients register, as far as a test says nothing else.
final class ScriptedResource: Sendable {
    typealias Answer = @Sendable (ProviderRequest) throws(TransportError) -> ProviderResponse

    static let url = "https://mcp.example.com/mcp"
    static let document = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp"
    static let issuer = "https://as.example.com"
    static let metadata = "\(issuer)/.well-known/oauth-authorization-server"
    static let registration = "\(issuer)/register"
    static let token = "\(issuer)/token"
    static let revocation = "\(issuer)/revoke"
    static let other = "https://other.example.com"
    static let otherMetadata = "\(other)/.well-known/oauth-authorization-server"

    static let parameters = ["url": url, "issuer": issuer]

    static let entry = """
        sourceTypes:
          found:
            displayName: Found
            category: mcp
            oauth:
              resourceParameter: url
              parameters: { url: { pattern: "^https://[!-~]+$" } }
        """

    private let answers = Locked<[String: Answer]>([:])

    init() {
        let registered = Locked(0)
        answer(Self.url, "{}", status: 401)
        answer(
            Self.document,
            """
            {"resource": "\(Self.url)", "authorization_servers": ["\(Self.issuer)", "\(Self.other)"],
             "scopes_supported": ["read"]}
            """)
        for issuer in [Self.issuer, Self.other] {
            answer(
                "\(issuer)/.well-known/oauth-authorization-server",
                """
                {"issuer": "\(issuer)", "authorization_endpoint": "\(issuer)/authorize",
                 "token_endpoint": "\(issuer)/token", "registration_endpoint": "\(issuer)/register",
                 "revocation_endpoint": "\(issuer)/revoke", "code_challenge_methods_supported": ["S256"],
                 "token_endpoint_auth_methods_supported": ["client_secret_post"], "scopes_supported": ["profile"]}
                """)
            answer("\(issuer)/register") { _ in
                let number = registered.withLock { number in
                    number += 1
                    return number
                }
                return ProviderResponse(
                    status: 201, body: Array(#"{"client_id": "client-\#(number)", "client_secret": "hunter2"}"#.utf8))
            }
            answer("\(issuer)/token", ScriptedProvider.tokens)
            answer("\(issuer)/revoke", "{}")
        }
    }

    func answer(_ url: String, _ answer: @escaping Answer) { answers.withLock { $0[url] = answer } }

    func answer(_ url: String, _ body: String, status: Int = 200) {
        answer(url) { _ in ProviderResponse(status: status, body: Array(body.utf8)) }
    }

    func answer(_ request: ProviderRequest) throws(TransportError) -> ProviderResponse {
        guard let answer = answers.withLock({ $0[request.url] }) else { return ProviderResponse(status: 404) }
        return try answer(request)
    }
}
