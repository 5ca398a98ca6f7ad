import Broker
import SQLiteStore
import Secrets
import Testing

/// RFC 9700 § 4.4: whoever runs one authorization server, or one client, must not get the codes of another, though he
/// sends people to it with a state of his own.
@Suite struct MixUpTests {
    private static let catalog = """
        sourceTypes:
          honest:
            displayName: Honest
            category: wiki
            oauth:
              authorizationURL: https://honest.example/authorize
              tokenURL: https://honest.example/token
              clientAuthentication: none
          issuing:
            displayName: Honest, and says who it is
            category: wiki
            provider: issuing
            oauth:
              authorizationURL: https://issuing.example/authorize
              tokenURL: https://issuing.example/token
              issuer: https://issuing.example
              clientAuthentication: none
          server:
            displayName: A server of one's own
            category: code
            oauth:
              authorizationURL: "https://{host}/authorize"
              tokenURL: "https://{host}/token"
              clientAuthentication: none
              parameters: { host: { pattern: "^[a-z.]+$", setByOperator: true } }
          server_unproved:
            displayName: A server of one's own, without PKCE
            category: code
            oauth:
              authorizationURL: "https://{host}/authorize"
              tokenURL: "https://{host}/token"
              clientAuthentication: none
              pkce: none
              parameters: { host: { pattern: "^[a-z.]+$", setByOperator: true } }
        """
    private static let clients = [
        "honest": Client(id: "honest-client", secret: nil), "issuing": Client(id: "issuing-client", secret: nil),
        "server": Client(id: "server-client", secret: nil, parameters: ["host": "git.example.com"]),
    ]

    private let installation: Installation

    init() throws {
        installation = try Installation(catalog: Self.catalog, clients: Self.clients)
    }

    private func bring(
        _ clientID: String, for sourceType: String, tenant: String, host: String? = nil
    ) async throws {
        let parameters = host.map { ["host": $0] } ?? [:]
        _ = try await installation.broker.setClient(
            ClientSetting(
                tenant: Samples.tenant(tenant), sourceType: sourceType, clientID: clientID, clientSecret: nil,
                parameters: parameters))
    }

    private func path(_ begun: Begun) throws -> RedirectPath {
        let url = try #require(begun["redirect_uri"])
        let base = "https://broker.example.com/oauth/callback/"
        try #require(url.hasPrefix(base))
        return RedirectPath(received: url.dropFirst(base.count))
    }

    /// Nothing was sent, nobody is told, and the flow that `state` names waits as before.
    private func expectNothing(of result: CallbackResult, _ begun: Begun) async throws {
        #expect(result.error == .invalidState)
        #expect(result.flow == nil)
        #expect(await installation.provider.requests.isEmpty)
        #expect(try await installation.store.outcome(of: begun.flow)?.status == .started)
    }

    // MARK: an attacker's authorization server

    @Test(arguments: ["server", "server_unproved"], ["", "&iss=https://honest.example", "&iss=https://evil.example"])
    func `a code of an honest provider with the state of an attacker's flow goes nowhere`(
        _ attackers: String, _ issuer: String
    ) async throws {
        try await bring("mallory", for: attackers, tenant: "mallory", host: "evil.example")
        let attack = try await installation.begin(attackers, tenant: "mallory")
        // The link that the victim follows is honest but for its state.
        for sourceType in ["honest", "issuing"] {
            let honest = try path(try await installation.begin(sourceType, tenant: "victim"))
            let result = await installation.callback("code=victims&state=\(attack.state)\(issuer)", at: honest)
            try await expectNothing(of: result, attack)
        }
        for elsewhere in ["", "server", "nowhere", "honest/", "/", "honest/AAAAAAAAAAAAAAAAAAAAAA"] {
            let redirect = RedirectPath(received: elsewhere)
            try await expectNothing(
                of: await installation.callback("code=c&state=\(attack.state)", at: redirect), attack)
        }
        // His own flow at his own address is his own affair.
        #expect(await installation.callback("code=his&state=\(attack.state)", at: try path(attack)).key != nil)
        #expect(await installation.provider.requests.map(\.url) == ["https://evil.example/token"])
    }

    @Test func `an attacker's server cannot end an honest flow either`() async throws {
        try await bring("mallory", for: "server", tenant: "mallory", host: "evil.example")
        let attackers = try path(try await installation.begin("server", tenant: "mallory"))
        let victims = try await installation.begin("honest", tenant: "victim")
        for query in ["code=attackers", "error=access_denied", ""] {
            let result = await installation.callback("\(query)&state=\(victims.state)", at: attackers)
            try await expectNothing(of: result, victims)
        }
        #expect(await installation.callback("code=good&state=\(victims.state)").key != nil)
    }

    // MARK: one authorization server, several clients

    @Test func `two tenants' own clients of one source type have addresses of their own`() async throws {
        try await bring("one", for: "honest", tenant: "one")
        try await bring("two", for: "honest", tenant: "two")
        let (first, second) = (
            try await installation.begin("honest", tenant: "one"), try await installation.begin("honest", tenant: "two")
        )
        let shared = try await installation.begin("honest", tenant: "three")
        let addresses = try [first, second, shared].map(path)
        #expect(Set(addresses).count == 3)
        for (begun, own) in zip([first, second, shared], addresses) {
            for other in addresses where other != own {
                try await expectNothing(
                    of: await installation.callback("code=c&state=\(begun.state)", at: other), begun)
            }
        }
        // RFC 6749 § 4.1.3: the token endpoint is told the address of the request.
        #expect(await installation.callback("code=c&state=\(first.state)", at: addresses[0]).key != nil)
        #expect(await installation.provider.form["redirect_uri"] == first["redirect_uri"])
        #expect(await installation.provider.form["client_id"] == "one")
    }

    // MARK: a client that changes meanwhile

    @Test func `a flow whose client was replaced gives its code to nobody`() async throws {
        try await bring("before", for: "server", tenant: "acme", host: "git.acme.example")
        for change in ["id", "host", "deleted"] {
            let begun = try await installation.begin("server")
            switch change {
            case "id": try await bring("after", for: "server", tenant: "acme", host: "git.acme.example")
            case "host": try await bring("after", for: "server", tenant: "acme", host: "other.example")
            default: #expect(try await installation.broker.deleteClient("server", of: Samples.tenant(), by: .unknown))
            }
            let result = await installation.callback("code=c&state=\(begun.state)")
            #expect(result.error == .invalidState)
            #expect(try await installation.store.outcome(of: begun.flow)?.error == "invalid_state")
        }
        #expect(await installation.provider.requests.isEmpty)
    }

    @Test func `a tenant's own client that comes during a flow does not get the shared one's code`() async throws {
        let begun = try await installation.begin("honest")
        try await bring("own", for: "honest", tenant: "acme")
        #expect(await installation.callback("code=c&state=\(begun.state)").error == .invalidState)
        #expect(await installation.provider.requests.isEmpty)
    }

    // MARK: several brokers, restarts, upgrades

    @Test func `two brokers on one file compare the same address`() async throws {
        let beside = try installation.beside(catalog: Self.catalog, clients: Self.clients)
        let begun = try await installation.begin("honest")
        let wrong = await beside.callback("code=c&state=\(begun.state)", at: RedirectPath(received: "issuing"))
        #expect(wrong.error == .invalidState)
        #expect(await beside.callback("code=c&state=\(begun.state)").key != nil)
        #expect(await beside.provider.form["redirect_uri"] == begun["redirect_uri"])
        #expect(await installation.callback("code=c&state=\(begun.state)").error == .invalidState)
    }

    @Test func `a flow keeps its address though the name changes with a restart`() async throws {
        let begun = try await installation.begin("honest")
        // The same client under `legacyRedirect`, as an operator may set it meanwhile.
        let moved = Self.clients.merging(
            ["honest": Client(id: "honest-client", secret: nil, usesLegacyRedirect: true)]
        ) { $1 }
        let restarted = try installation.beside(catalog: Self.catalog, clients: moved)
        #expect(try await restarted.begin("honest")["redirect_uri"] == "https://broker.example.com/oauth/callback")
        let bare = await restarted.callback("code=c&state=\(begun.state)", at: .legacy)
        #expect(bare.error == .invalidState)
        #expect(await restarted.callback("code=c&state=\(begun.state)").key != nil)
        #expect(await restarted.provider.form["redirect_uri"] == "https://broker.example.com/oauth/callback/honest")
    }

    @Test func `the bare address is for legacy clients' flows alone`() async throws {
        let legacy = try Installation(
            catalog: Self.catalog,
            clients: Self.clients.merging(
                ["honest": Client(id: "honest-client", secret: nil, usesLegacyRedirect: true)]
            ) { $1 })
        let (old, new) = (try await legacy.begin("honest"), try await legacy.begin("issuing"))
        #expect(await legacy.callback("code=c&state=\(new.state)", at: .legacy).error == .invalidState)
        #expect(await legacy.callback("code=c&state=\(old.state)", at: .legacy).key != nil)
        #expect(await legacy.provider.form["redirect_uri"] == "https://broker.example.com/oauth/callback")
    }
}
