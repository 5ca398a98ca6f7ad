import Broker
import Catalog
import Daemon
import Formats
import Foundation
import Secrets
import Testing
import Transport

@testable import cloakroom

@Suite struct SourcesTests {
    @Test func `a name that is none is told with what may have been meant`() throws {
        let (catalog, _) = try Sources.catalog(nil)
        let refusal = #expect(throws: Refusal.self) { try Sources.sourceType("gogle_drive", in: catalog) }
        #expect(refusal?.lines.first?.contains("did you mean \"google_drive\"?") == true)
    }

    @Test func `what to set is what this source type needs`() throws {
        let installation = try Installation()
        let configuration = try installation.configuration()
        func text(_ name: String, _ owner: TenantID?) throws -> String {
            Sources.Show.text(
                of: try Sources.sourceType(name, in: configuration.catalog), catalog: configuration.catalog,
                configuration: configuration, owner: owner)
        }
        #expect(try text("wiki", nil).contains("clientSecretFile: wikis.secret"))
        #expect(try !text("wiki_public", nil).contains("clientSecretFile"))
        #expect(try text("wiki_key", nil).contains("privateKeyFile: wiki_key.pem"))
        #expect(try text("wiki_tls", nil).contains("certificateKeyFile: wiki_tls.key"))
        #expect(try text("wiki_site", nil).contains("      site: \"…\""))
        #expect(try text("wiki_site", nil).contains("client per instance"))
        let acme = try #require(TenantID("acme"))
        #expect(
            try text("wiki_site", acme).contains(
                "cloakroom clients set --tenant acme --source-type wiki_site --client-id … --client-secret-file … --parameter site=…"
            ))
        // A tenant's client cannot prove itself by a key, which only the configuration can give.
        #expect(try !text("wiki_key", acme).contains("clients set"))
        #expect(try text("wiki", acme).contains("https://broker.example.com/oauth/callback/wiki/"))
    }

    @Test func `a server that is found needs no client, but its hosts named`() throws {
        let (catalog, _) = try Sources.catalog(nil)
        let sourceType = try Sources.sourceType("mcp_server", in: catalog)
        let text = Sources.Show.text(of: sourceType, catalog: catalog, configuration: nil)
        let settings = try #require(text.components(separatedBy: "settings:\n").last)
        #expect(settings.hasPrefix("mcp: { servers: ["))
        for words in [
            "provider.allowInsecure", "provider.allowPrivateAddresses", "clientSecretFile: mcp_server.secret",
        ] {
            #expect(settings.contains(words), "\(words)")
        }
        let acme = try #require(TenantID("acme"))
        let owned = Sources.Show.text(of: sourceType, catalog: catalog, configuration: nil, owner: acme)
        #expect(owned.contains("--client-secret-file … --parameter issuer=…"))
    }

    @Test func `who makes its secrets by a key is told the key's name and algorithm`() throws {
        let (catalog, _) = try Sources.catalog(nil)
        let text = Sources.Show.text(
            of: try Sources.sourceType("apple", in: catalog), catalog: catalog, configuration: nil)
        #expect(text.contains("    privateKeyFile: apple.pem\n    keyId: \"…\"\n    algorithm: ES256\n"))
        let installation = try Installation()
        try installation.write("apple.pem", Installation.privateKey)
        func advice(_ more: String) throws -> [String] {
            try installation.configuration([
                "clients":
                    "{ apple: { clientId: a, privateKeyFile: apple.pem, parameters: { teamId: ABCDE12345 }\(more) } }"
            ]).advice
        }
        #expect(try advice("").contains { $0.contains("clients.apple has no keyId") })
        #expect(try !advice(", keyId: ABC").contains { $0.contains("keyId") })
    }

    // MARK: try

    private static func summary(
        _ json: String, unverified: [OAuthProfile.UnverifiedFact] = []
    ) throws -> String {
        try Trial.summary(SecretBytes(Array(json.utf8)), unverified: unverified)
    }

    @Test func `facts that were in doubt are told as seen or as still in doubt`() throws {
        let answer = #"{"tokenType":"Bearer","refreshToken":null}"#
        let text = try Self.summary(answer, unverified: [.clientAuthentication, .scopes, .refreshToken, .revocation])
        #expect(text.contains("unverified before, and seen to work: client authentication\n"))
        #expect(text.contains("unverified still: scopes, refresh token (none came), revocation\n"))
        let scoped = #"{"tokenType":"Bearer","refreshToken":"a","scope":"b c"}"#
        #expect(try Self.summary(scoped, unverified: [.scopes]).contains("seen to work: scopes\n"))
        #expect(try Self.summary(scoped, unverified: [.refreshToken]).contains("still: refresh token (one came"))
        #expect(try !Self.summary(scoped).contains("unverified"))
    }

    /// A token endpoint that is not there refuses nobody.
    @Test func `only what a client's proof can mend is advised`() {
        func hint(_ error: String, _ reason: String) -> String {
            Trial.hint(error, reason: reason, usual: "usual", advice: "advice")
        }
        #expect(hint("provider_rejected", "the token endpoint: answered 401") == "usual; advice")
        #expect(hint("provider_rejected", "the token endpoint: answered 404").contains("nothing takes"))
        #expect(hint("provider_unreachable", "the token endpoint: TLS failed") == "usual")
    }

    @Test func `the redirect address is read from the request`() {
        let address = "https://as.example/authorize?a=b&redirect_uri=https%3A%2F%2Fbroker.example.com%2Fx%2Fy"
        #expect(Trial.redirectURI(in: address) == "https://broker.example.com/x/y")
        #expect(Trial.redirectURI(in: "https://as.example/authorize?request_uri=urn:a") == nil)
    }

    @Test func `why a server cannot be asked is told once, with the setting that permits it`() {
        let error = AuthorizeError.provider(.unreachable(.addressNotAllowed, at: .token))
        #expect(!Trial.words(error, isFound: true).contains("the provider gave"))
        #expect(Trial.words(error, isFound: false).contains("the provider gave"))
        let hint = Trial.hint(error, of: "mcp_server", isFound: true)
        #expect(hint.contains("provider.allowPrivateAddresses") && hint.contains("provider.allowInsecure"))
        #expect(Trial.words(.serverMalformed(name: "url"), isFound: true).contains("provider.allowInsecure"))
    }

    @Test func `what was granted is told without a token`() throws {
        let text = try Self.summary(
            """
            {"accessToken":"hunter2","refreshToken":"hunter3","idToken":"hunter4","tokenType":"Bearer",
             "expiresAt":1790000000000,"scope":"read write","extras":{"instance_url":"hunter5"},
             "warnings":["scope_reduced","unheard_of"]}
            """)
        #expect(!text.contains("hunter"))
        for words in ["Bearer", "read write", "2026-09-21T", "refresh token: yes", "id_token: yes", "instance_url"] {
            #expect(text.contains(words), "\(words)")
        }
        #expect(text.contains("warning: scope_reduced: ") && text.contains("warning: unheard_of"))
    }

    @Test func `what was not told is told as such`() throws {
        let text = try Self.summary(
            #"{"accessToken":"x","refreshToken":null,"tokenType":"DPoP","expiresAt":null,"scope":null,"extras":{}}"#)
        #expect(text.contains("RFC 6749 § 5.1") && text.contains("expires: not told"))
        #expect(text.contains("refresh token: no") && !text.contains("id_token") && !text.contains("extras:"))
    }

    @Test func `a provider's words act on no terminal`() throws {
        let text = try Self.summary(#"{"tokenType":"\u001b[2J","scope":"a\nwarning: b"}"#)
        #expect(!text.contains("\u{1B}") && !text.contains("\nwarning: b"))
    }

    /// A provider's expiry may be any number.
    @Test func `an expiry that no calendar has is told as unknown`() throws {
        #expect(try Self.summary(#"{"tokenType":"Bearer","expiresAt":1e300}"#).contains("expires: not told"))
    }
}
