import Catalog
import Formats
import Secrets
import Testing

@testable import Broker

/// RFC 7591 § 3.
@Suite struct ClientRegistrationTests {
    private static let redirect = "https://broker.example.com/oauth/callback/mcp_server/AAAAAAAAAAAAAAAAAAAAAA"
    private let place = ClientRegistration.Place(issuer: "https://as.example", redirectURI: redirect)

    private func request(_ scopes: [String] = []) throws -> ClientRegistration.Request {
        ClientRegistration.Request(
            ClientDescription(
                redirectURIs: [Self.redirect], publicURL: try #require(StrictURL("https://broker.example.com"))),
            at: "https://as.example/register", by: .post, scopes: scopes)
    }

    private func registration(_ json: String, status: Int = 201) throws -> ClientRegistration {
        try request().registration(
            ProviderResponse(status: status, body: Array(json.utf8)), now: TestTime.now, flowLifetime: 600)
    }

    @Test func `the request says what is needed`() throws {
        let body = try #require(try request(["a", "b"]).http.body)
        #expect(
            try StrictJSON.object(body) == [
                "client_name": .string("Cloakroom at broker.example.com"),
                "client_uri": .string("https://broker.example.com"), "redirect_uris": .array([.string(Self.redirect)]),
                "grant_types": .array([.string("authorization_code"), .string("refresh_token")]),
                "response_types": .array([.string("code")]), "application_type": .string("web"),
                "token_endpoint_auth_method": .string("client_secret_post"), "scope": .string("a b"),
            ])
    }

    @Test(arguments: [
        (#"{"client_id":"c","client_secret":"s"}"#, OAuthProfile.ClientAuthentication.post),
        (#"{"client_id":"c"}"#, .none),
        (#"{"client_id":"c","client_secret":"s","token_endpoint_auth_method":"client_secret_basic"}"#, .basic),
        (#"{"client_id":"c","client_secret":"s","token_endpoint_auth_method":"none"}"#, .none),
    ])
    func `the server decides how the client proves itself`(
        _ json: String, _ method: OAuthProfile.ClientAuthentication
    ) throws {
        let made = try registration(json)
        #expect(made.authentication == method)
        #expect((made.secret != nil) == (method != .none))
    }

    @Test func `a secret that does not expire has no end, and any other has one`() throws {
        let json = { (expiry: String) -> String in
            #"{"client_id":"c","client_secret":"s","client_secret_expires_at":\#(expiry)}"#
        }
        #expect(try registration(json("0")).renewsAt == nil)
        let start = TestTime.now.milliseconds / 1000 * 1000
        // Before a flow could outlive it; of one that lives no longer than two flows, half of its life is used.
        for (life, use) in [(3600, 3000), (1200, 600), (60, 30)] as [(Int64, Int64)] {
            let expiring = try registration(json("\(start / 1000 + life)"))
            #expect(!expiring.isDue(at: Timestamp(milliseconds: start + use * 1000 - 1000)))
            #expect(expiring.isDue(at: Timestamp(milliseconds: start + use * 1000 + 1000)))
        }
        #expect(throws: ClientRegistration.Fault.expired) { try registration(json("1")) }
    }

    /// As versions kept it that knew neither scopes nor ways.
    @Test func `one that was kept before serves on`() throws {
        let ring = try KeyRing(KeyRing.newLine(id: #require(KeyRing.KeyID("k1"))))
        let end = TestTime.now.adding(seconds: 3600)
        let json =
            #"{"id":"c","secret":"s3cret","authentication":"post","secretExpiresAt":\#(end.milliseconds)}"#
        let sealed: Sealed<ClientRegistration> = ring.seal(
            SecretBytes(Array(json.utf8)), as: Label("client-registration"), context: place.context)
        let opened = try ClientRegistration(sealed, openedBy: ring, at: place)
        #expect(opened.id == "c" && opened.secret?.expose { $0 } == "s3cret" && opened.approach == .dynamicRegistration)
        #expect(opened.covers(["any"]) && !opened.isLost && opened.tokenOrigin == nil)
        #expect(!opened.isDue(at: TestTime.now) && opened.isDue(at: end.adding(seconds: -600)))
        let kept = KeptRegistration(
            issuer: place.issuer, redirectURI: place.redirectURI, sealed: sealed, usedAt: TestTime.now)
        #expect(ClientRegistration.resealed(kept, by: ring) != nil)
    }

    @Test func `many refusals in one moment are one`() throws {
        let made = try registration(#"{"client_id":"c"}"#)
        let start = TestTime.now
        let first = made.noting(isRefused: true, isFinal: false, at: start)
        #expect(!first.isLost && !first.noting(isRefused: true, isFinal: false, at: start.adding(seconds: 9)).isLost)
        #expect(first.noting(isRefused: true, isFinal: false, at: start.adding(seconds: 10)).isLost)
        let known = first.noting(isRefused: false, isFinal: false, at: start)
        #expect(!known.noting(isRefused: true, isFinal: false, at: start.adding(seconds: 10)).isLost)
        #expect(made.noting(isRefused: true, isFinal: true, at: start).isLost)
    }

    @Test func `it is sealed for its server and redirect address alone`() throws {
        let ring = try KeyRing(KeyRing.newLine(id: #require(KeyRing.KeyID("k1"))))
        var made = try registration(#"{"client_id":"c","client_secret":"s3cret"}"#)
        made.scopes = ["a", "b"]
        made.tokenOrigin = Origin("https://tokens.example")
        made.refusedAt = TestTime.now
        let sealed = try #require(made.sealed(by: ring, at: place))
        let opened = try ClientRegistration(sealed, openedBy: ring, at: place)
        #expect(opened.id == "c" && opened.secret?.expose { $0 } == "s3cret" && opened.authentication == .post)
        #expect(
            opened.approach == .dynamicRegistration && opened.scopes == ["a", "b"] && opened.refusedAt == TestTime.now)
        #expect(opened.tokenOrigin == Origin("https://tokens.example"))
        for other in [
            ClientRegistration.Place(issuer: "https://evil.example", redirectURI: Self.redirect),
            ClientRegistration.Place(issuer: place.issuer, redirectURI: Self.redirect + "x"),
        ] {
            #expect(throws: OpenError.notAuthentic) { try ClientRegistration(sealed, openedBy: ring, at: other) }
        }
    }

    @Test func `it prints without its secret`() throws {
        let made = try registration(#"{"client_id":"c","client_secret":"s3cret"}"#)
        var text = "\(made)"
        dump(made, to: &text)
        #expect(!text.contains("s3cret"))
    }
}
