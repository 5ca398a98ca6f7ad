import Formats
import Secrets
import Testing
import Transport

@testable import BrokerClient

@Suite struct ConnectingTests {
    private static let authorization = BrokerAuthorization.signing(
        .makeP256(), keyID: nil, issuer: "i", audience: "a")

    @Test func `a connection is started with all that was given`() async throws {
        let broker = ScriptedBroker(
            200,
            #"{"authorizationUrl":"https://p.example/?state=s3cret","flow":"f-1","expiresAt":1790000600000,"cutsOpener":true}"#
        )
        let started = try await Sample.client(broker, Self.authorization).authorize(
            ConnectionRequest(
                sourceType: "zendesk", parameters: ["subdomain": "acme"], scopes: [], returnURL: "https://a.example/b",
                exchangeChallenge: "c", frontendOrigin: "https://a.example"), for: Sample.tenant)
        #expect(
            try broker.requests.first?.members == [
                "sourceType": .string("zendesk"), "parameters": .object(["subdomain": .string("acme")]),
                "scopes": .array([]), "returnUrl": .string("https://a.example/b"), "exchangeChallenge": .string("c"),
                "frontendOrigin": .string("https://a.example"),
            ])
        #expect(broker.requests.first?.url.hasSuffix("/v1/tenants/acme/assets:authorize") == true)
        #expect(started.address.expose { $0 } == "https://p.example/?state=s3cret")
        #expect(started.flow == "f-1" && started.expiresAt == Timestamp(milliseconds: 1_790_000_600_000))
        expectHidden(started, ["s3cret"])
    }

    @Test(arguments: [
        (#"{"status":"pending"}"#, "pending"), (#"{"status":"succeeded","credentialKey":"ckr_k3y"}"#, "ckr_k3y"),
        (#"{"status":"failed","error":"access_denied","errorDescription":"no"}"#, "access_denied"),
        (#"{"status":"failed"}"#, "failed"), (#"{"status":"odd"}"#, "malformed"),
        (#"{"status":"succeeded"}"#, "malformed"),
    ])
    func `an outcome is asked for anonymously`(_ body: String, _ expected: String) async throws {
        let broker = ScriptedBroker(200, body)
        let outcome = try? await Sample.client(broker).flow(
            "f-1", verifier: ExchangeVerifier("v"), for: Sample.tenant)
        let told =
            switch outcome {
            case .pending?: "pending"
            case .succeeded(let key)?: key.expose { $0 }
            case .failed(let error)?: error ?? "failed"
            case nil: "malformed"
            }
        #expect(told == expected)
        #expect(broker.requests.first?.header("authorization") == nil)
        #expect(
            try broker.requests.first?.members == ["flow": .string("f-1"), "exchangeVerifier": .string("v")])
        expectHidden(outcome, ["k3y"])
    }

    @Test func `source types are listed with what a form needs`() async throws {
        let broker = ScriptedBroker(
            200,
            """
            {"items":[{"type":"file","displayName":"File upload","category":"upload","supportsOAuth":false,
            "configured":true,"oauth":null},{"type":"zendesk","displayName":"Zendesk","category":"support",
            "supportsOAuth":true,"configured":false,"oauth":{"scopes":["read"],"parameters":[{"name":"subdomain",
            "description":"The part","pattern":"^a$","required":true}]}}],"totalCount":2}
            """)
        let types = try await Sample.client(broker, Self.authorization).sourceTypes(of: Sample.tenant)
        #expect(types.map(\.name) == ["file", "zendesk"])
        #expect(types.map(\.isConfigured) == [true, false])
        #expect(types[0].oauth == nil)
        #expect(types[1].oauth?.scopes == ["read"])
        #expect(types[1].oauth?.parameters.first?.name == "subdomain")
        #expect(types[1].oauth?.parameters.first?.isRequired == true)
        #expect(broker.requests.first?.method == .get)
        #expect(broker.requests.first?.url == "https://broker.example.com/v1/tenants/acme/assets:sourceTypes")
        #expect(broker.requests.first?.body == nil)
    }

    @Test(arguments: [#"{}"#, #"{"items":{}}"#, #"{"items":[{"type":"file"}]}"#, #"{"items":[7]}"#])
    func `a list with something else in it is none`(_ body: String) async throws {
        let client = try Sample.client(ScriptedBroker(200, body), Self.authorization)
        let fault = await fault { () throws(BrokerError) in try await client.sourceTypes(of: Sample.tenant) }
        #expect(fault == .malformedAnswer(status: 200))
    }
}
