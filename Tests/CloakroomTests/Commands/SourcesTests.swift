import Broker
import Daemon
import Formats
import Secrets
import Testing

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

    // MARK: try

    private static func summary(_ json: String) throws -> String { try Trial.summary(SecretBytes(Array(json.utf8))) }

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
