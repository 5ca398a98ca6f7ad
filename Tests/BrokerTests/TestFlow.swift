import Broker
import Catalog
import Formats
import Secrets
import Testing

enum TestFlow {
    /// A flow of `acme` to connect `example`.
    static func make(
        parameters: [String: String] = [:], scopes: [String] = [], state: State = State("a state")
    ) throws -> Flow {
        Flow(
            id: FlowID(of: state), tenant: try #require(TenantID("acme")),
            sourceType: try #require(SourceType.ID("example")),
            parameters: parameters, scopes: scopes, frontendOrigin: try #require(Origin("https://app.example.com")),
            returnURL: nil, exchangeChallenge: nil, redirect: .legacy, clientID: "client",
            key: try #require(KeyRing.KeyID("k1")),
            startedAt: TestTime.now, expiresAt: TestTime.now.adding(seconds: 600))
    }
}
