import Formats
import Secrets
import Testing
import Transport

@testable import BrokerClient

@Suite struct RefreshTests {
    private static let authorization = BrokerAuthorization.signing(
        .makeP256(), keyID: "1", issuer: "https://issuer.example.com", audience: "cloakroom")

    @Test func `a refresh sends the token, its source type and what was given for the connection`() async throws {
        let broker = ScriptedBroker(200, Sample.credentials)
        let credentials = try await Sample.client(broker, Self.authorization).refresh(
            RefreshToken("r3fresh"), of: "zendesk", parameters: ["subdomain": "acme", "a": "\""], scopes: ["read"],
            for: Sample.tenant)
        let request = try #require(broker.requests.first)
        #expect(request.method == .post)
        #expect(request.url == "https://broker.example.com/v1/tenants/acme/assets:refreshCredentials")
        #expect(request.header("authorization")?.hasPrefix("Bearer ey") == true)
        #expect(
            try request.members == [
                "sourceType": .string("zendesk"), "refreshToken": .string("r3fresh"),
                "parameters": .object(["subdomain": .string("acme"), "a": .string("\"")]),
                "scopes": .array([.string("read")]),
            ])
        #expect(credentials.tokens.refreshToken?.expose { $0 } == "r3fresh")
    }

    @Test func `a refresh leaves out what it has not`() async throws {
        let broker = ScriptedBroker(200, Sample.credentials)
        _ = try await Sample.client(broker, Self.authorization).refresh(
            RefreshToken("r"), of: "notion", for: Sample.tenant)
        #expect(try broker.requests.first?.members.keys.sorted() == ["refreshToken", "sourceType"])
    }

    @Test func `an anonymous client sends no refresh`() async throws {
        let broker = ScriptedBroker(200, Sample.credentials)
        let client = try Sample.client(broker)
        let fault = await fault { () throws(BrokerError) in
            try await client.refresh(RefreshToken("r"), of: "notion", for: Sample.tenant)
        }
        #expect(fault == .noToken(.anonymous))
        #expect(broker.requests.isEmpty)
    }

    /// RFC 7009 § 2.1.
    @Test func `a revocation says what token it is`() async throws {
        let broker = ScriptedBroker(204)
        try await Sample.client(broker, Self.authorization).revoke(
            AccessOrRefreshToken("t0ken"), hint: .refreshToken, of: "notion", for: Sample.tenant)
        let request = try #require(broker.requests.first)
        #expect(request.url.hasSuffix("/v1/tenants/acme/assets:revokeCredentials"))
        #expect(
            try request.members == [
                "sourceType": .string("notion"), "token": .string("t0ken"), "tokenTypeHint": .string("refresh_token"),
            ])
    }

    @Test func `a revocation that the provider has not is told`() async throws {
        let client = try Sample.client(Sample.problem(409, "revocation_unsupported"), Self.authorization)
        let fault = await fault { () throws(BrokerError) in
            try await client.revoke(AccessOrRefreshToken("t"), of: "notion", for: Sample.tenant)
        }
        #expect(fault == .revocationUnsupported)
    }

    @Test func `another success than 204 is no revocation`() async throws {
        let client = try Sample.client(ScriptedBroker(200, "{}"), Self.authorization)
        let fault = await fault { () throws(BrokerError) in
            try await client.revoke(AccessOrRefreshToken("t"), of: "notion", for: Sample.tenant)
        }
        #expect(fault == .malformedAnswer(status: 200))
    }
}
