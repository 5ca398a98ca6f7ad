import Catalog
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

    @Test func `documents come before registration`() throws {
        let offer = try ServerOffer(metadata(registers + takesDocuments), own: nil)
        #expect(offer.membership == .document && offer.authentication == .none)
    }

    @Test func `a client that was set for the issuer comes before both`() throws {
        let own = Client(id: "own", secret: ClientSecret("s"), parameters: ["issuer": Self.issuer])
        let offer = try ServerOffer(metadata(registers + takesDocuments), own: own)
        #expect(offer.membership == .own && offer.authentication == .basic)
    }

    @Test(arguments: ["https://as.example/", "https://AS.example", "https://other.example"])
    func `a client of another issuer is none`(_ issuer: String) throws {
        let own = Client(id: "own", secret: ClientSecret("s"), parameters: ["issuer": issuer])
        #expect(try ServerOffer(metadata(registers), own: own).membership == .registration)
        #expect(throws: ServerOffer.Unworkable.noWayIn) { try ServerOffer(metadata(""), own: own) }
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
        #expect(try ServerOffer(metadata(registers + more), own: nil).authentication == method)
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
            #expect(try ServerOffer(metadata, own: nil).membership == .registration)
        } else {
            #expect(throws: ServerOffer.Unworkable.codesElsewhere) { try ServerOffer(metadata, own: nil) }
        }
        // Whoever set a client for the issuer knows it.
        let own = Client(id: "own", secret: nil, parameters: ["issuer": Self.issuer])
        #expect(try ServerOffer(metadata, own: own).membership == .own)
    }

    @Test func `a secret without an issuer goes nowhere, and a client without a secret anywhere`() throws {
        #expect(throws: ServerOffer.Unworkable.secretOfNoIssuer) {
            try ServerOffer(metadata(""), own: Client(id: "own", secret: ClientSecret("s")))
        }
        #expect(try ServerOffer(metadata(""), own: Client(id: "own", secret: nil)).membership == .own)
    }
}
