import Broker
import Catalog
import Formats
import Secrets
import Testing

@Suite struct RefreshIdentityTests {
    private static func identity(
        _ token: String, tenant: String = "acme", sourceType: String = "wiki", client: String = "client",
        parameters: [String: String] = [:], scopes: [String]? = nil
    ) throws -> RefreshIdentity {
        RefreshIdentity(
            tenant: try #require(TenantID(tenant)), sourceType: try #require(SourceType.ID(sourceType)),
            client: client, parameters: parameters, scopes: scopes, token: RefreshToken(token))
    }

    @Test func `no two requests are one that differ in anything`() throws {
        let identities = [
            try Self.identity("r"), try Self.identity("r2"), try Self.identity("r", tenant: "other"),
            try Self.identity("r", sourceType: "drive"), try Self.identity("r", client: "another"),
            try Self.identity("r", scopes: []),
            try Self.identity("r", scopes: ["scopes"]), try Self.identity("r", scopes: ["given", "scopes"]),
            try Self.identity("r", parameters: ["scopes": "given"]), try Self.identity("r", parameters: ["a": "b"]),
            try Self.identity("r", parameters: ["scopes": "given"], scopes: []),
        ]
        #expect(Set(identities).count == identities.count)
        #expect(try Self.identity("r", scopes: ["a", "b"]) == Self.identity("r", scopes: ["b", "a"]))
    }
}
