import Broker
import Formats
import Secrets
import StrictYAML
import TestSupport
import Testing
import Transport

/// Whom the tokens of a server that is found are sent to, as whom, and whose failure reaches whom.
@Suite struct ResourceTrustTests {
    private let installation: Installation
    private let server = ScriptedResource()

    private static let honest = "https://honest.example.org"

    init() async throws {
        installation = try Installation(catalog: ScriptedResource.entry, clients: [:])
        await installation.provider.answers { [server] request async throws(TransportError) in
            try server.answer(request)
        }
    }

    /// The metadata of the first authorization server, with changes; `nil` leaves a member out.
    private func publish(_ changes: [String: JSONValue?] = [:], issuer: String = ScriptedResource.issuer) throws {
        var members: [String: JSONValue] = [
            "issuer": .string(issuer), "authorization_endpoint": .string("\(issuer)/authorize"),
            "token_endpoint": .string("\(issuer)/token"), "registration_endpoint": .string("\(issuer)/register"),
            "revocation_endpoint": .string("\(issuer)/revoke"),
            "code_challenge_methods_supported": .array([.string("S256")]),
            "token_endpoint_auth_methods_supported": .array([.string("client_secret_post"), .string("none")]),
        ]
        for (name, value) in changes { members[name] = value }
        let document = String(decoding: try JSONValue.object(members).encoded(), as: UTF8.self)
        server.answer("\(issuer)/.well-known/oauth-authorization-server", document)
    }

    /// Another's endpoints under its own name.
    private func publishHonestEndpoints(revocation: String = honest) throws {
        try publish([
            "authorization_endpoint": .string("\(Self.honest)/authorize"),
            "token_endpoint": .string("\(Self.honest)/token"), "revocation_endpoint": .string("\(revocation)/revoke"),
        ])
        server.answer("\(Self.honest)/token", ScriptedProvider.tokens)
        server.answer("\(Self.honest)/revoke", "{}")
    }

    private func begin(
        tenant: String = "acme", url: String = ScriptedResource.url, scopes: [String]? = nil
    ) async throws -> Begun {
        let request = try AuthorizeRequest(
            tenant: Samples.tenant(tenant), sourceType: "found", parameters: ["url": url], scopes: scopes)
        return try Begun(await installation.broker.authorize(request))
    }

    @discardableResult
    private func connect(tenant: String = "acme", scopes: [String]? = nil, iss: String? = nil) async throws -> String {
        let begun = try await begin(tenant: tenant, scopes: scopes)
        let suffix = iss.map { "&iss=\(Percent.encode($0))" } ?? ""
        let key = try #require(await installation.callback("code=good&state=\(begun.state)\(suffix)").key)
        return try #require(try await installation.redeem(key, tenant: tenant))
    }

    private func refresh(
        _ token: String = "refresh-hunter2", tenant: String = "acme", issuer: String = ScriptedResource.issuer
    ) async throws {
        _ = try await installation.broker.refresh(
            RefreshRequest(
                tenant: Samples.tenant(tenant), sourceType: "found", refreshToken: RefreshToken(token),
                parameters: ["url": ScriptedResource.url, "issuer": issuer]))
    }

    private func revoke() async throws {
        try await installation.broker.revoke(
            TokenRevocationRequest(
                tenant: Samples.tenant(), sourceType: "found", token: AccessOrRefreshToken("refresh-hunter2"),
                parameters: ScriptedResource.parameters))
    }

    private func forms(to url: String) async -> [[String: String]] {
        await installation.provider.requests.filter { $0.url == url }.map { request in
            let pairs = Percent.pairs(String(decoding: request.body ?? [], as: UTF8.self)) ?? []
            return Dictionary(pairs.map { ($0.name, $0.value) }) { first, _ in first }
        }
    }

    private func registrations() async throws -> [String?] {
        try await installation.provider.requests.filter { $0.url == ScriptedResource.registration }
            .map { try StrictJSON.object($0.body ?? [])["scope"]?.string }
    }

    /// Runs a refresh or revocation that must end so.
    private func needsReauthorization(_ call: () async throws -> Void) async {
        do {
            try await call()
            Issue.record("it was not refused")
        } catch RefreshError.reauthorizationRequired, TokenRevocationError.reauthorizationRequired {
        } catch {
            Issue.record("\(error)")
        }
    }

    // MARK: whom tokens are sent to

    /// A hostile issuer with an honest server's endpoints, where it has registered the client itself: its people consent
    /// there, and then it names endpoints of its own.
    @Test func `a token of an issuer that named another's endpoints goes to no endpoint that it names later`()
        async throws
    {
        try publishHonestEndpoints()
        try await connect()
        try await refresh("first")
        #expect(await forms(to: "\(Self.honest)/token").count == 2)
        try publish()
        await needsReauthorization { try await refresh("second") }
        await needsReauthorization { try await revoke() }
        await #expect(throws: AuthorizeError.self) { try await begin() }
        // Not even by another way of being its client.
        try publish(["client_id_metadata_document_supported": .bool(true)])
        await #expect(throws: AuthorizeError.self) { try await begin() }
        await needsReauthorization { try await refresh("third") }
        #expect(await forms(to: ScriptedResource.token).isEmpty)
        #expect(await forms(to: ScriptedResource.revocation).isEmpty)
    }

    /// Two spellings of one issuer would be two clients, with two places of their tokens.
    @Test func `another spelling of the issuer leads no token elsewhere`() async throws {
        try publish()
        _ = try await begin()
        let slashed = ScriptedResource.issuer + "/"
        try publish([
            "issuer": .string(slashed), "authorization_endpoint": .string("\(Self.honest)/authorize"),
            "token_endpoint": .string("\(Self.honest)/token"),
        ])
        server.answer("\(Self.honest)/token", ScriptedProvider.tokens)
        let redeemed = try await connect()
        #expect(redeemed.contains(#""issuer":"\#(slashed)""#), "\(redeemed)")
        try publish()
        await needsReauthorization { try await refresh("second", issuer: slashed) }
        #expect(await forms(to: ScriptedResource.token).isEmpty)
    }

    @Test func `the same of an issuer that had endpoints of its own first, and of one known by a document`()
        async throws
    {
        try publish(["client_id_metadata_document_supported": .bool(true)])
        try await connect()
        try publishHonestEndpoints()
        try await connect()
        try publish()
        await needsReauthorization { try await refresh() }
        #expect(await forms(to: ScriptedResource.token).count == 1)
    }

    /// A token does not tell which of two clients it belongs to.
    @Test func `the client that a tenant has for itself is bound as the one of all`() async throws {
        try publishHonestEndpoints()
        try await connect()
        try publish()
        await #expect(throws: AuthorizeError.self) { try await begin(scopes: ["more"]) }
        await needsReauthorization { try await refresh() }
        #expect(await forms(to: ScriptedResource.token).isEmpty)
    }

    @Test func `a token is not revoked at another host than the one that issued it`() async throws {
        try publishHonestEndpoints(revocation: ScriptedResource.issuer)
        let begun = try await begin()
        _ = try #require(await installation.callback("code=good&state=\(begun.state)").key)
        await #expect(throws: TokenRevocationError.self) { try await revoke() }
        let result = try await installation.broker.revoke(
            AdminRevocation(selection: Selection(), reason: "test", atProvider: true))
        #expect(result.keys == 1 && result.withoutRevocation == 1)
        #expect(await forms(to: ScriptedResource.revocation).isEmpty)
    }

    @Test func `an honest server has its endpoints where it likes`() async throws {
        try publishHonestEndpoints()
        try await connect()
        try await refresh()
        try await revoke()
        #expect(await forms(to: "\(Self.honest)/revoke").map { $0["token"] } == ["refresh-hunter2"])
    }

    /// Its tokens can only be its own: another's code has no iss of this one (RFC 9207).
    @Test func `a server that sends iss, or has its endpoints at its own host, may move them`() async throws {
        try publish()
        try await connect()
        let sends = ["authorization_response_iss_parameter_supported": JSONValue.bool(true)]
        try publish(sends.merging(["token_endpoint": .string("\(Self.honest)/token")]) { $1 })
        server.answer("\(Self.honest)/token", ScriptedProvider.tokens)
        try await refresh("first")
        try await connect(iss: ScriptedResource.issuer)
        try publish()
        try await refresh("second")
        #expect(await forms(to: "\(Self.honest)/token").count == 2)
    }

    // MARK: as whom

    @Test func `a server that takes documents meanwhile is asked by the client that it knows`() async throws {
        let first = try await begin()
        try await connect()
        try publish(["client_id_metadata_document_supported": .bool(true)])
        try await refresh()
        #expect(await forms(to: ScriptedResource.token).map { $0["client_id"] } == ["client-1", "client-1"])
        #expect(try await begin()["client_id"] == first["client_id"])
    }

    @Test func `a server that takes no documents any more is asked by the client that it knows`() async throws {
        try publish(["client_id_metadata_document_supported": .bool(true)])
        let begun = try await begin()
        try await connect()
        try publish()
        try await refresh()
        let clients = await forms(to: ScriptedResource.token).map { $0["client_id"] }
        #expect(clients == [begun["client_id"], begun["client_id"]])
        #expect(begun["client_id"]?.hasSuffix(".json") == true)
    }

    @Test func `a secret that ends while a flow may wait is renewed before`() async throws {
        let end = Samples.now.milliseconds / 1000 + 3600
        server.answer(
            ScriptedResource.registration,
            #"{"client_id": "a", "client_secret": "s", "client_secret_expires_at": \#(end)}"#, status: 201)
        #expect(try await begin()["client_id"] == "a")
        server.answer(ScriptedResource.registration, #"{"client_id": "b", "client_secret": "s"}"#, status: 201)
        installation.clock.advance(seconds: 2999)
        #expect(try await begin()["client_id"] == "a")
        installation.clock.advance(seconds: 2)
        #expect(try await begin()["client_id"] == "b")
    }

    // MARK: scopes

    /// Some servers hold a client to the scopes that it registered with (RFC 7591 § 2).
    @Test func `what a tenant names decides nothing for the others`() async throws {
        let first = try await begin(tenant: "first", scopes: ["junk"])
        let second = try await begin(tenant: "second")
        let third = try await begin(tenant: "third", scopes: ["read", "profile"])
        #expect(try await registrations() == ["profile read junk", "profile read"])
        #expect(second["client_id"] == third["client_id"] && first["client_id"] != second["client_id"])
        #expect(first["redirect_uri"] != second["redirect_uri"])
    }

    @Test func `a tenant that steps up has a client of its own for what the server did not publish`() async throws {
        let others = try await begin(tenant: "globex")
        try await connect(tenant: "acme")
        try await connect(tenant: "acme", scopes: ["read", "admin"])
        try await refresh(tenant: "acme")
        try await refresh(tenant: "globex")
        #expect(try await registrations() == ["profile read", "profile read admin"])
        let clients = await forms(to: ScriptedResource.token).map { $0["client_id"] }
        #expect(clients == ["client-1", "client-2", "client-2", "client-1"])
        #expect(try await begin(tenant: "acme")["client_id"] == "client-2")
        #expect(try await begin(tenant: "globex")["client_id"] == others["client_id"])
    }

    @Test func `a challenge's scopes hide none of those that the server publishes`() async throws {
        server.answer(ScriptedResource.url) { _ in
            ProviderResponse(status: 401, headers: [("www-authenticate", "Bearer scope=\"now\"")])
        }
        #expect(try await begin()["scope"] == "now")
        _ = try await begin(tenant: "globex", scopes: ["now", "read"])
        #expect(try await registrations() == ["profile now read"])
    }

    /// Else a hostile server that names an honest issuer could end its grants, and an honest one by a new scope.
    @Test func `what a server proposes moves no tenant to another client`() async throws {
        try await connect()
        server.answer(ScriptedResource.url) { _ in
            ProviderResponse(status: 401, headers: [("www-authenticate", "Bearer scope=\"new\"")])
        }
        let begun = try await begin()
        #expect(begun["client_id"] == "client-1" && begun["scope"] == "new")
        try await refresh()
        #expect(try await registrations().count == 1)
    }

    // MARK: whose failure reaches whom

    @Test func `one refusal of the client ends no grant, neither its own nor others'`() async throws {
        try await connect(tenant: "one")
        try await connect(tenant: "two")
        server.answer(ScriptedResource.token, #"{"error":"invalid_client"}"#, status: 401)
        do {
            try await refresh("first", tenant: "one")
            Issue.record("it was not refused")
        } catch RefreshError.provider(.rejected("invalid_client"?, _, _)) {
        }
        server.answer(ScriptedResource.token, ScriptedProvider.tokens)
        try await refresh("second", tenant: "two")
        #expect(try await begin(tenant: "three")["client_id"] == "client-1")
        // It was known between them.
        server.answer(ScriptedResource.token, #"{"error":"invalid_client"}"#, status: 401)
        await #expect(throws: RefreshError.self) { try await refresh("third", tenant: "one") }
        server.answer(ScriptedResource.token, ScriptedProvider.tokens)
        #expect(try await begin(tenant: "three")["client_id"] == "client-1")
        #expect(try await registrations().count == 1)
    }

    @Test func `a client that goes on being refused serves on until another is registered`() async throws {
        try await connect(tenant: "one")
        server.answer(ScriptedResource.token, #"{"error":"invalid_client"}"#, status: 401)
        await #expect(throws: RefreshError.self) { try await refresh("first", tenant: "one") }
        installation.clock.advance(seconds: 10)
        await needsReauthorization { try await refresh("second", tenant: "one") }
        server.answer(ScriptedResource.registration, #"{"error":"x"}"#, status: 500)
        await #expect(throws: AuthorizeError.self) { try await begin(tenant: "two") }
        try await revoke()
        server.answer(ScriptedResource.registration, #"{"client_id": "b", "client_secret": "s"}"#, status: 201)
        #expect(try await begin(tenant: "two")["client_id"] == "b")
    }

    @Test func `a tenant over its registrations of an hour is told when it is over, and the trail once`() async throws {
        let issuer = { @Sendable (number: Int) in "https://as\(number).example.com" }
        for number in 0...200 {
            try publish(issuer: issuer(number))
            server.answer("\(issuer(number))/register", #"{"client_id": "c"}"#, status: 201)
        }
        let list = { [server] (number: Int) in
            server.answer(
                ScriptedResource.document,
                #"{"resource": "\#(ScriptedResource.url)", "authorization_servers": ["\#(issuer(number))"]}"#)
        }
        for number in 0..<200 {
            list(number)
            _ = try await begin(scopes: [])
        }
        list(200)
        for _ in 0..<2 {
            await #expect(throws: AuthorizeError.tooManyRegistrations(retryAfter: 3600)) { try await begin() }
        }
        let events = try await installation.store.events(EventFilter(), before: nil, limit: 1000).events.map(\.event)
        #expect(events.filter { $0.kind == .flowFailed }.map(\.code) == ["rate_limited"])
        // What is there already serves on, and another tenant has an hour of its own.
        list(0)
        _ = try await begin()
        list(200)
        _ = try await begin(tenant: "globex")
    }

    /// Both are one source type.
    @Test func `a server that names another host in each flow does not hold up an order to revoke`() async throws {
        let addresses = (0..<40).map { "https://h\($0).example.org/revoke" }
        for address in addresses {
            try publish(["revocation_endpoint": .string(address)])
            _ = try #require(await installation.callback("code=good&state=\(try await begin().state)").key)
            server.answer(address) { _ throws(TransportError) in throw .connectionRefused }
        }
        let result = try await installation.broker.revoke(
            AdminRevocation(selection: Selection(), reason: "test", atProvider: true))
        #expect(result.keys == 40 && result.failures.count == 40)
        #expect(await installation.provider.requests.count { addresses.contains($0.url) } < 40)
    }

    @Test func `an order to revoke spares a server that is down, and asks the others`() async throws {
        let second = "https://mcp.example.com/second"
        server.answer(second, "{}", status: 401)
        server.answer(
            "https://mcp.example.com/.well-known/oauth-protected-resource/second",
            #"{"resource": "\#(second)", "authorization_servers": ["\#(ScriptedResource.other)"]}"#)
        for url in Array(repeating: ScriptedResource.url, count: 20) + Array(repeating: second, count: 3) {
            let begun = try await begin(url: url)
            _ = try #require(await installation.callback("code=good&state=\(begun.state)").key)
        }
        server.answer(ScriptedResource.revocation) { _ throws(TransportError) in throw .connectionRefused }
        let result = try await installation.broker.revoke(
            AdminRevocation(selection: Selection(), reason: "test", atProvider: true))
        #expect(result.keys == 23 && result.atProvider == 3)
        #expect(await forms(to: ScriptedResource.revocation).count < 20)
    }

    /// A person waits.
    @Test func `all that a flow asks before it begins has one deadline`() async throws {
        let steady = installation.steady
        await installation.provider.answers { [server] request async throws(TransportError) in
            steady.advance(.seconds(4))
            return try server.answer(request)
        }
        server.answer(ScriptedResource.url, "{}", status: 404)
        server.answer(ScriptedResource.registration, #"{"error":"invalid_client_metadata"}"#, status: 400)
        server.answer(ScriptedResource.document, "", status: 404)
        server.answer(
            "https://mcp.example.com/.well-known/oauth-protected-resource",
            #"{"resource": "https://mcp.example.com", "authorization_servers": ["\#(ScriptedResource.issuer)"]}"#)
        do {
            _ = try await begin(scopes: ["more"])
            Issue.record("it began")
        } catch AuthorizeError.provider(.timedOut) {
        }
        // Each has what is left.
        let times = await installation.provider.requests.map(\.http.timeout)
        #expect(times == [25, 21, 17, 13, 9, 5, 1].map { .seconds($0) })
    }

    /// As any other call of the broker.
    @Test(arguments: [
        (ScriptedResource.url, TransportError.connectionRefused), (ScriptedResource.document, .timedOut),
        (ScriptedResource.metadata, .timedOut), (ScriptedResource.token, .connectionRefused),
    ])
    func `a server that cannot be asked ends no grant`(_ url: String, _ error: TransportError) async throws {
        try await connect()
        server.answer(url) { _ throws(TransportError) in throw error }
        do {
            try await refresh()
            Issue.record("it was not refused")
        } catch RefreshError.provider(.unreachable) {
            #expect(error == .connectionRefused)
        } catch RefreshError.provider(.timedOut) {
            #expect(error == .timedOut)
        }
    }

    @Test func `the brokers of one database are one client`() async throws {
        let second = try installation.beside(catalog: ScriptedResource.entry, clients: [:])
        await second.provider.answers { [server] request async throws(TransportError) in try server.answer(request) }
        let first = try await begin()
        let request = try AuthorizeRequest(
            tenant: Samples.tenant("globex"), sourceType: "found", parameters: ["url": ScriptedResource.url])
        let begun = try Begun(await second.broker.authorize(request))
        #expect(begun["client_id"] == first["client_id"])
        _ = try #require(await second.callback("code=good&state=\(first.state)").key)
        let forms = await second.provider.requests.filter { $0.url == ScriptedResource.token }.map(\.body)
        #expect(forms.count == 1 && String(decoding: forms[0] ?? [], as: UTF8.self).contains("client_id=client-1"))
        #expect(try await registrations().count == 1)
    }

    // MARK: what servers publish

    /// RFC 3986 § 6.2.3: an empty path is the same as "/". Libraries add the slash where they list a server.
    @Test func `an authorization server at the root is the same with a slash and without`() async throws {
        server.answer(
            ScriptedResource.document,
            #"{"resource": "\#(ScriptedResource.url)", "authorization_servers": ["\#(ScriptedResource.issuer)/"]}"#)
        let redeemed = try await connect()
        #expect(redeemed.contains(#""issuer":"\#(ScriptedResource.issuer)""#), "\(redeemed)")
        try await refresh("first")
        await needsReauthorization { try await refresh("second", issuer: ScriptedResource.issuer + "/") }
        #expect(try await registrations().count == 1)
    }

    @Test func `a server may list the token's authorization server anywhere`() async throws {
        try await connect()
        let others = (0..<300).map { "\"https://as\($0).example.com\"" }.joined(separator: ", ")
        server.answer(
            ScriptedResource.document,
            #"{"resource": "\#(ScriptedResource.url)", "authorization_servers": [\#(others), "\#(ScriptedResource.issuer)"]}"#
        )
        try await refresh()
    }

    /// Servers and libraries make `/evil` of it.
    @Test(arguments: [
        "https://mcp.example.com/good/../mcp", "https://mcp.example.com/good/%2E./mcp", "https://mcp.example.com/./mcp",
        "https://mcp.example.com/mcp/..", "https://mcp.example.com/a/.%2e?b=c",
    ])
    func `an address whose path goes back is refused before anybody is asked`(_ url: String) async throws {
        await #expect(throws: AuthorizeError.serverMalformed(name: "url")) { try await begin(url: url) }
        #expect(await installation.provider.requests.isEmpty)
    }

    /// The flow keeps what was found beside its parameters.
    @Test(arguments: [
        "resource", "tokenEndpoint", "membership", "clientAuthentication", "revocationEndpoint", "client",
    ])
    func `the parameter of an entry of one's own may have any name`(_ name: String) async throws {
        let entry = ScriptedResource.entry.replacing("url", with: name)
        let installation = try Installation(catalog: entry, clients: [:])
        await installation.provider.answers { [server] request async throws(TransportError) in
            try server.answer(request)
        }
        let parameters = [name: ScriptedResource.url]
        let begun = try Begun(
            await installation.broker.authorize(
                AuthorizeRequest(tenant: Samples.tenant(), sourceType: "found", parameters: parameters)))
        #expect(begun["resource"] == ScriptedResource.url)
        let key = try #require(await installation.callback("code=good&state=\(begun.state)").key)
        #expect(try await installation.redeem(key) != nil)
        let urls = await installation.provider.requests.map(\.url)
        #expect(urls.filter { $0 == ScriptedResource.token }.count == 1)
        #expect(urls.filter { $0 == ScriptedResource.url }.count == 1)
    }
}
