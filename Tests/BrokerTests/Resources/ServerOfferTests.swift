import Catalog
import Formats
import Secrets
import Testing

@testable import Broker

/// What an authorization server must offer, and how the broker becomes its client.
@Suite struct ServerOfferTests {
    private static let issuer = "https://as.example"

    private func metadata(_ more: String) throws -> ProviderMetadata {
        try ProviderMetadata(
            json: Array(
                """
                {"issuer": "\(Self.issuer)", "authorization_endpoint": "\(Self.issuer)/authorize",
                 "token_endpoint": "\(Self.issuer)/token", "code_challenge_methods_supported": ["S256"] \(more)}
                """.utf8), issuer: Self.issuer)
    }

    private let registers = #", "registration_endpoint": "https://as.example/register""#
    private let takesDocuments = #", "client_id_metadata_document_supported": true"#

    private func registration(
        _ method: OAuthProfile.ClientAuthentication = .basic
    ) -> ServerOffer.Approach {
        .dynamicRegistration(endpoint: "https://as.example/register", method)
    }

    @Test func `documents come before registration`() throws {
        let offer = try ServerOffer(metadata(registers + takesDocuments), own: nil, documents: true)
        #expect(offer.approach == .metadataDocument)
    }

    @Test func `a client that was set for the issuer comes before both`() throws {
        let own = Client(id: "own", secret: ClientSecret("s"), parameters: ["issuer": Self.issuer])
        let offer = try ServerOffer(metadata(registers + takesDocuments), own: own, documents: true)
        #expect(offer.approach == .preregistered(.basic))
    }

    @Test(arguments: ["https://as.example/x", "https://AS.example", "https://other.example"])
    func `a client of another issuer is none`(_ issuer: String) throws {
        let own = Client(id: "own", secret: ClientSecret("s"), parameters: ["issuer": issuer])
        #expect(try ServerOffer(metadata(registers), own: own, documents: true).approach == registration())
        #expect(throws: ServerOffer.Unworkable.withoutApproach) {
            try ServerOffer(metadata(""), own: own, documents: true)
        }
    }

    @Test(arguments: [
        ("", OAuthProfile.ClientAuthentication.basic),
        (#", "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"]"#, .post),
        (#", "token_endpoint_auth_methods_supported": ["client_secret_basic"]"#, .basic),
        (#", "token_endpoint_auth_methods_supported": ["none"]"#, .none),
    ])
    func `it registers with an authentication that the server takes`(
        _ more: String, _ method: OAuthProfile.ClientAuthentication
    ) throws {
        #expect(try ServerOffer(metadata(registers + more), own: nil, documents: true).approach == registration(method))
    }

    /// RFC 9700 § 4.4: a hostile server may send people to an honest one, and have their codes.
    @Test(arguments: [
        ("https://honest.example/authorize", "https://as.example/token", "", false),
        ("https://honest.example/authorize", "https://as.example/token", "x", true),
        ("https://as.example/authorize", "https://api.as.example/token", "", true),
        ("https://login.as.example/authorize", "https://as.example/token", "", true),
        ("https://as.example/authorize", "https://evilas.example/token", "", false),
    ])
    func `a code goes to the host that people were sent to, unless iss tells`(
        _ authorize: String, _ token: String, _ iss: String, _ isTaken: Bool
    ) throws {
        let sends = iss.isEmpty ? "" : #", "authorization_response_iss_parameter_supported": true"#
        let metadata = try ProviderMetadata(
            json: Array(
                """
                {"issuer": "\(Self.issuer)", "authorization_endpoint": "\(authorize)", "token_endpoint": "\(token)",
                 "code_challenge_methods_supported": ["S256"] \(sends)\(registers)}
                """.utf8), issuer: Self.issuer)
        if isTaken {
            #expect(try ServerOffer(metadata, own: nil, documents: true).approach == registration())
        } else {
            #expect(throws: ServerOffer.Unworkable.codesElsewhere) {
                try ServerOffer(metadata, own: nil, documents: true)
            }
        }
        // Whoever set a client for the issuer knows it.
        let own = Client(id: "own", secret: nil, parameters: ["issuer": Self.issuer])
        #expect(try ServerOffer(metadata, own: own, documents: true).approach == .preregistered(.none))
    }

    @Test func `a secret without an issuer goes nowhere, and a client without a secret anywhere`() throws {
        #expect(throws: ServerOffer.Unworkable.secretOfNoIssuer) {
            try ServerOffer(metadata(""), own: Client(id: "own", secret: ClientSecret("s")), documents: true)
        }
        #expect(
            try ServerOffer(metadata(""), own: Client(id: "own", secret: nil), documents: true).approach
                == .preregistered(.none))
    }

    /// draft-ietf-oauth-client-id-metadata-document § 3: their addresses are https; and an operator may not want them.
    @Test func `documents need an https address but in trials, and an operator may want none`() throws {
        let (secure, plain) = (
            try #require(StrictURL("https://b.example")), try #require(StrictURL("http://b.example"))
        )
        var servers = ResourceServers()
        #expect(servers.usesDocuments(at: secure, isTrial: false) && servers.usesDocuments(at: plain, isTrial: true))
        #expect(!servers.usesDocuments(at: plain, isTrial: false))
        servers.clientDocuments = false
        #expect(!servers.usesDocuments(at: secure, isTrial: true))
    }

    @Test func `without documents of its own the broker registers, or cannot go on`() throws {
        let both = try ServerOffer(metadata(registers + takesDocuments), own: nil, documents: false)
        #expect(both.approach == registration())
        #expect(throws: ServerOffer.Unworkable.withoutDocuments) {
            try ServerOffer(metadata(takesDocuments), own: nil, documents: false)
        }
    }

    /// RFC 3986 § 6.2.3.
    @Test func `a client may be set for an issuer at the root with a slash or without`() throws {
        let own = Client(id: "own", secret: nil, parameters: ["issuer": Self.issuer + "/"])
        #expect(try ServerOffer(metadata(registers), own: own, documents: true).approach == .preregistered(.none))
    }

    /// An issuer may name another server's endpoints: what comes of its flows is that one's then.
    @Test(
        arguments: [
            ("https://as.example/token", "", nil), ("https://api.as.example/token", "", nil),
            ("https://example/token", "", "https://example"),
            ("https://other.example/token", "", "https://other.example"),
            ("https://as.example:8443/token", "", "https://as.example:8443"), ("https://other.example/token", "x", nil),
            ("https://evilas.example/token", "", "https://evilas.example"),
        ] as [(String, String, String?)])
    func `tokens are bound to a token endpoint elsewhere, unless iss tells whose they are`(
        _ token: String, _ iss: String, _ origin: String?
    ) throws {
        let host = try #require(StrictURL(token)).origin
        let sends = iss.isEmpty ? "" : #", "authorization_response_iss_parameter_supported": true"#
        let found = try ProviderMetadata(
            json: Array(
                """
                {"issuer": "\(Self.issuer)", "authorization_endpoint": "\(host)/authorize", "token_endpoint": "\(token)",
                 "revocation_endpoint": "\(Self.issuer)/revoke", "code_challenge_methods_supported": ["S256"] \(sends)}
                """.utf8), issuer: Self.issuer)
        #expect(found.boundTokenOrigin?.description == origin)
        let bound = found.boundTokenOrigin
        #expect(found.takesTokens(boundTo: nil) && found.takesTokens(boundTo: bound))
        #expect(!found.takesTokens(boundTo: Origin("https://before.example")))
        let isRevocable = found.revocationEndpoint(boundTo: bound) != nil
        #expect(isRevocable == (origin == nil || origin == "https://example"))
        // Of a client that is good anywhere nothing is kept that could bind its tokens.
        let anywhere = Client(id: "own", secret: nil)
        if origin == nil {
            #expect(try ServerOffer(found, own: anywhere, documents: true).approach == .preregistered(.none))
        } else {
            #expect(throws: ServerOffer.Unworkable.tokensElsewhere) {
                try ServerOffer(found, own: anywhere, documents: true)
            }
        }
    }
}
