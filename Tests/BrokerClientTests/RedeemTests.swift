import Formats
import Secrets
import Testing
import Transport

@testable import BrokerClient

@Suite struct RedeemTests {
    private static let key = CredentialKey("ckr_k3y")
    private static let verifier = ExchangeVerifier("v3rifier")

    @Test func `a redemption posts the key and its verifier, as nobody`() async throws {
        let broker = ScriptedBroker(200, Sample.credentials)
        _ = try await Sample.client(broker).redeem(Self.key, verifier: Self.verifier, for: Sample.tenant)
        let request = try #require(broker.requests.first)
        #expect(request.method == .post)
        #expect(request.url == "https://broker.example.com/v1/tenants/acme/assets:oauthCredentials")
        #expect(request.header("authorization") == nil)
        #expect(request.header("content-type") == "application/json")
        #expect(
            try request.members == ["credentialKey": .string("ckr_k3y"), "exchangeVerifier": .string("v3rifier")])
    }

    @Test func `a redemption without verifier has no such member`() async throws {
        let broker = ScriptedBroker(200, Sample.credentials)
        _ = try await Sample.client(broker).redeem(Self.key, for: Sample.tenant)
        #expect(try broker.requests.first?.members == ["credentialKey": .string("ckr_k3y")])
    }

    @Test func `the answer is read whole`() async throws {
        let broker = ScriptedBroker(200, Sample.credentials)
        let credentials = try await Sample.client(broker).redeem(Self.key, for: Sample.tenant)
        #expect(credentials.accessToken.expose { $0 } == "acc3ss")
        #expect(credentials.refreshToken?.expose { $0 } == "r3fresh")
        #expect(credentials.tokenType == "Bearer")
        #expect(credentials.expiresAt == Timestamp(milliseconds: 1_790_003_600_000))
        #expect(credentials.scope == "read write")
        #expect(credentials.sourceType == "google_drive")
        #expect(credentials.idToken == nil)
        #expect(credentials.extras.names == ["dpopKey", "instanceUrl"])
        #expect(credentials.extras.expose { $0["instanceUrl"] } == .string("https://x.example"))
        #expect(credentials.warnings == ["expiry_unknown"])
    }

    @Test func `members that are null or left out are absent, and unknown ones are passed over`() async throws {
        let broker = ScriptedBroker(
            200,
            #"{"accessToken":"a","tokenType":"Bearer","sourceType":"s","refreshToken":null,"expiresAt":null,"new":[1]}"#
        )
        let credentials = try await Sample.client(broker).redeem(Self.key, for: Sample.tenant)
        #expect(credentials.refreshToken == nil && credentials.expiresAt == nil && credentials.scope == nil)
        #expect(credentials.extras.names == [] && credentials.warnings == [])
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"accessToken":"","tokenType":"Bearer","sourceType":"s"}"#,
        #"{"accessToken":1,"tokenType":"Bearer","sourceType":"s"}"#,
        #"{"accessToken":"a\nb","tokenType":"Bearer","sourceType":"s"}"#,
        #"{"accessToken":"ä","tokenType":"Bearer","sourceType":"s"}"#,
        #"{"accessToken":"a","accessToken":"b","tokenType":"Bearer","sourceType":"s"}"#,
        #"{"accessToken":"a","tokenType":"Bearer"}"#, #"{"accessToken":"a","sourceType":"s"}"#,
        #"{"accessToken":"a","tokenType":"Bearer","sourceType":"s","refreshToken":7}"#,
        #"{"accessToken":"a","tokenType":"Bearer","sourceType":"s","expiresAt":"soon"}"#,
        #"{"accessToken":"a","tokenType":"Bearer","sourceType":"s","expiresAt":1.5}"#,
        #"{"accessToken":"a","tokenType":"Bearer","sourceType":"s","expiresAt":9223372036854775807}"#,
        #"{"accessToken":"a","tokenType":"Bearer","sourceType":"s","extras":[]}"#,
        #"{"accessToken":"a","tokenType":"Bearer","sourceType":"s"} "# + "x",
    ])
    func `an answer of another form is none`(_ body: String) async throws {
        let client = try Sample.client(ScriptedBroker(200, body))
        let fault = await fault { () throws(BrokerError) in try await client.redeem(Self.key, for: Sample.tenant) }
        #expect(fault == .malformedAnswer(status: 200))
    }

    @Test(arguments: [TransportError.timedOut, .unreachable, .connectionRefused])
    func `a key is never sent twice`(_ error: TransportError) async throws {
        let broker = ScriptedBroker { _ throws(TransportError) in throw error }
        let client = try Sample.client(broker)
        _ = await fault { () throws(BrokerError) in try await client.redeem(Self.key, for: Sample.tenant) }
        #expect(broker.requests.count == 1)
    }

    /// Docs/Backend.md#redeem.
    @Test func `a key may be spent where no broker answered, though the connection was made`() {
        let spent: [BrokerError] = [
            .timedOut, .cancelled, .unreachable(.unreachable), .unreachable(.malformedResponse),
            .malformedAnswer(status: 200), .refused(status: 502, code: nil, retryAfter: nil),
        ]
        let unspent: [BrokerError] = [
            .invalidCredentialKey, .invalidRequest, .rateLimited(retryAfter: nil), .unavailable(retryAfter: nil),
            .internalError, .unreachable(.connectionRefused), .unreachable(.nameNotResolved), .unreachable(.tlsFailed),
            .refused(status: 418, code: "teapot", retryAfter: nil),
        ]
        #expect(spent.allSatisfy(\.mayHaveSpentKey) && !unspent.contains(where: \.mayHaveSpentKey))
    }

    @Test(arguments: [
        ("https://broker.example.com/", "https://broker.example.com/v1/"),
        ("https://example.com/broker", "https://example.com/broker/v1/"),
        ("https://example.com/broker/?a=b", "https://example.com/broker/v1/"),
    ])
    func `the broker's address may have a path`(_ url: String, _ start: String) async throws {
        let broker = ScriptedBroker(200, Sample.credentials)
        _ = try await Sample.client(broker, url: url).redeem(Self.key, for: Sample.tenant)
        #expect(broker.requests.first?.url.hasPrefix(start + "tenants/acme/") == true)
    }

    @Test func `nothing of a redemption prints`() async throws {
        let broker = ScriptedBroker(200, Sample.credentials)
        let credentials = try await Sample.client(broker).redeem(
            Self.key, verifier: Self.verifier, for: Sample.tenant)
        let words = ["acc3ss", "r3fresh", "pr1vate", "k3y", "v3rifier"]
        expectHidden(credentials, words)
        expectHidden(credentials.extras, words)
        expectHidden(credentials.tokens, words)
        expectHidden([credentials.accessToken], words)
        expectHidden(broker.requests, words)
        var body = RequestBody()
        body.add("credentialKey", Self.key)
        expectHidden(body, words)
        expectHidden(BrokerCall.post("assets:oauthCredentials", body), words)
    }
}
