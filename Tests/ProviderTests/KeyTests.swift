import Catalog
import Foundation
import Sandbox
import StrictYAML
import Testing

/// A key of the catalog that few providers need, proven by a provider that demands it: with the key a person can
/// connect, without it not.
@Suite struct KeyTests {
    struct Key: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Lines of `oauth`.
        let with: String
        /// The lines in their place that an entry without the key would have.
        let without: String
        /// Members of the requirement besides `places`.
        let requirement: String
        /// Members of its place.
        let place: String

        init(
            _ name: String, _ with: String, without: String = "", place: String = "", _ requirement: String
        ) {
            testDescription = name
            self.with = with
            self.without = without
            self.requirement = requirement
            self.place = place
        }
    }

    static let keys = [
        Key(
            "authorizationNames",
            "authorizationNames: { client_id: appId, redirect_uri: redirectUrl }",
            #""consent": { "names": { "client_id": "appId", "redirect_uri": "redirectUrl" } }"#),
        Key(
            "{clientId} in authorizationURL, and client_id left out",
            "authorizationURL: \"https://wiki.example/{clientId}/authorize\"\nauthorizationNames: { client_id: null }",
            without: "authorizationURL: \"https://wiki.example/{clientId}/authorize\"",
            place: #""authorization": "https://wiki.example/{clientId}/authorize""#,
            #""consent": { "names": { "client_id": "-" } }"#),
        Key(
            "callbackCode", "callbackCode: authCode", place: #""callback": { "code": "another" }"#,
            #""consent": { "codeParameter": "authCode" }"#),
        Key(
            "a fragment that takes the parameters", "authorizationURL: \"https://wiki.example/#/oauth/authorize\"",
            without: "authorizationURL: \"https://wiki.example/\"",
            place: #""authorization": "https://wiki.example/""#, #""consent": { "fragment": "/oauth/authorize" }"#),
        Key(
            "a fragment that stays at the end", "authorizationURL: \"https://wiki.example/authorize#wiki_redirect\"",
            #""consent": { "fragment": "wiki_redirect" }"#),
        Key("nonce", "nonce: true", #""consent": { "nonce": true }"#),
        Key(
            "a placeholder in authorizationParameters",
            """
            authorizationParameters: { context: "stores/{store}" }
            parameters: { store: { pattern: "^[a-z0-9]+$" } }
            """, without: "parameters: { store: { pattern: \"^[a-z0-9]+$\" } }",
            place: #""parameters": { "store": "hpj4" }"#,
            #""consent": { "parameters": { "context": "stores/hpj4" } }"#),
        Key(
            "mintedSecret",
            """
            mintedSecret: { issuer: "{teamId}", audience: "https://wiki.example" }
            parameters: { teamId: { pattern: "^[A-Z0-9]{10}$", setByOperator: true } }
            """, without: "parameters: { teamId: { pattern: \"^[A-Z0-9]{10}$\", setByOperator: true } }",
            place: #""parameters": { "teamId": "ABCDE12345" }, "setByOperator": true"#,
            #""exchange": { "minted": { "issuer": "ABCDE12345", "audience": "https://wiki.example" } }"#),
        Key("clientCertificate", "clientCertificate: true", #""exchange": { "certificate": true }"#),
        Key(
            "the secret in tokenHeaders",
            """
            clientAuthentication: none
            exchangeParameters: { client_id: null }
            refreshParameters: { client_id: null }
            tokenHeaders: { secret_key: "{clientSecret}" }
            """,
            without: """
                clientAuthentication: none
                exchangeParameters: { client_id: null }
                refreshParameters: { client_id: null }
                """,
            #""exchange": { "authentication": "none", "headers": { "secret_key": "{clientSecret}" } }"#),
        Key(
            "learned from the callback",
            """
            learned: { device: { callback: device_id, pattern: "^[a-z0-9-]+$" } }
            exchangeParameters: { device_id: "{device}" }
            refreshParameters: { device_id: "{device}" }
            """, place: #""callback": { "device_id": "dev-1" }, "learned": { "device": "dev-1" }"#,
            """
            "consent": { "keeps": ["device_id"] }, "exchange": { "parameters": { "device_id": "dev-1" } },
            "refresh": { "parameters": { "device_id": "dev-1" } }
            """),
        Key(
            "learned from the answer",
            """
            learned: { host: { answer: /endpoint, prefix: "https://", pattern: "^[a-z0-9]+\\\\.wiki\\\\.example$" } }
            refreshURL: "https://{host}/token"
            """,
            place: #""refresh": "https://acme.wiki.example/token", "learned": { "host": "https://acme.wiki.example" }"#,
            """
            "answer": { "keeps": ["/endpoint"], "body": {
                "access_token": "{accessToken}", "expires_in": "{lifetime}", "refresh_token": "{refreshToken}",
                "scope": "{scope}", "endpoint": "https://acme.wiki.example"
            } },
            "refresh": { "rotation": "rotates" }
            """),
        Key(
            "response.prefix", "response: { prefix: \"&&&START&&&\" }", #""answer": { "prefix": "&&&START&&&" }"#),
        Key(
            "redirectURI",
            """
            redirectURI: "{alias}"
            parameters: { alias: { pattern: "^[A-Za-z0-9-]+$", setByOperator: true } }
            """, without: "parameters: { alias: { pattern: \"^[A-Za-z0-9-]+$\", setByOperator: true } }",
            place: #""parameters": { "alias": "Acme-Acme-1" }, "setByOperator": true"#,
            #""consent": { "redirectAlias": "Acme-Acme-1" }"#),
        Key(
            "refreshNotBefore", "refreshNotBefore: 30", #""refresh": { "notBefore": 30, "rotation": "rotates" }"#),
    ]

    @Test(arguments: keys)
    func `a provider that demands it can be connected with the key alone`(_ key: Key) async throws {
        #expect(try await Self.faults(key, key.with) == [])
        #expect(try await Self.faults(key, key.without) != [])
    }

    private static func faults(_ key: Key, _ lines: String) async throws -> [String] {
        let findings = Findings()
        let catalog = Catalog(own: [("wiki.yaml", yaml(lines))], allowInsecure: false, findings: findings)
        try #require(findings.lines == [])
        let requirement = try #require(ProviderRequirements(json: Data(json(key).utf8)).entries["wiki"])
        return try await Performance(entry: "wiki", requirement: requirement, catalog: catalog).faults()
    }

    private static func yaml(_ lines: String) -> String {
        var members = lines.split(separator: "\n").map(String.init)
        for usual in [
            "authorizationURL: https://wiki.example/authorize", "tokenURL: https://wiki.example/token",
            "clientAuthentication: post",
        ] where !members.contains(where: { $0.hasPrefix(usual.prefix { $0 != ":" } + ":") }) {
            members.append(usual)
        }
        return """
            sourceTypes:
              wiki:
                displayName: Wiki
                category: wiki
                oauth:
            \(members.map { "      " + $0 }.joined(separator: "\n"))
            """
    }

    private static func json(_ key: Key) -> String {
        var place = [#""token": "https://wiki.example/token""#]
        if !key.place.contains(#""authorization""#) {
            place.append(#""authorization": "https://wiki.example/authorize""#)
        }
        if !key.place.isEmpty { place.append(key.place) }
        let refresh = key.requirement.contains(#""refresh""#) ? "" : #", "refresh": {}"#
        return """
            {"wiki": {"places": [{ \(place.joined(separator: ", ")) }], \(key.requirement)\(refresh)}}
            """
    }
}
