import Formats
import Secrets
import Testing
import Transport

@testable import Broker
@testable import Catalog

/// Texts that look like plain letters and digits, or end where a careless reader stops.
private let lookAlikes = [
    "", " ", "a b", "a\n", "\na", "a\0", "a\u{301}", "\u{E9}", "\u{430}cme", "acme\u{200B}", "\u{FEFF}acme",
    "\u{FF41}cme",
    "a\u{2024}b", "a\u{661}", "a\u{2010}b", "acme\u{202E}", "a/b", "a\\b", "a%2e", "a:b", "a@b", "a+b", "a,b", "a;b",
    "a*",
    "\u{212A}elvin", "a\r\n", "a\u{1F511}",
]

@Suite struct TenantIDTests {
    @Test(arguments: [
        "a", "Z", "0", "acme", "Acme-1.eu_west", "a-", "a.", "a_", "0...", String(repeating: "x", count: 64),
    ])
    func `a tenant has letters, digits, dots, underscores and hyphens`(_ text: String) {
        #expect(TenantID(text)?.description == text)
    }

    @Test(arguments: [".a", "-a", "_a", "..", ".", String(repeating: "x", count: 65)])
    func `a tenant begins with a letter or digit and has at most 64 characters`(_ text: String) {
        #expect(TenantID(text) == nil)
    }

    @Test(arguments: lookAlikes)
    func `a text that only looks like a tenant is none`(_ text: String) {
        #expect(TenantID(text) == nil)
    }

    @Test func `tenants differ by case`() {
        #expect(TenantID("acme") != TenantID("Acme"))
    }
}

@Suite struct SourceTypeIDTests {
    @Test(arguments: ["a", "google_drive", "s3", "a__1_", "z" + String(repeating: "9", count: 63)])
    func `a source type has small letters, digits and underscores`(_ text: String) {
        #expect(SourceType.ID(text)?.description == text)
    }

    @Test(arguments: [
        "A", "aB", "1a", "_a", "a-b", "a.b", "z" + String(repeating: "9", count: 64),
        String(repeating: "a", count: 1000),
    ])
    func `a source type begins with a small letter and has at most 64 characters`(_ text: String) {
        #expect(SourceType.ID(text) == nil)
    }

    @Test(arguments: lookAlikes)
    func `a text that only looks like a source type is none`(_ text: String) {
        #expect(SourceType.ID(text) == nil)
    }

    @Test func `source types sort by their names`() {
        let ids = ["b", "a_b", "a", "ab", "a1"].compactMap { SourceType.ID($0) }
        #expect(ids.sorted().map(\.description) == ["a", "a1", "a_b", "ab", "b"])
    }
}

@Suite struct FlowIDTests {
    /// SHA-256 of the empty text begins with these 16 bytes (FIPS 180-4).
    @Test func `a flow is named by the first half of its state's digest`() {
        let id = FlowID(of: State(""))
        #expect(
            id.bytes == [
                0xE3, 0xB0, 0xC4, 0x42, 0x98, 0xFC, 0x1C, 0x14, 0x9A, 0xFB, 0xF4, 0xC8, 0x99, 0x6F, 0xB9, 0x24,
            ])
        #expect(id.description == "47DEQpj8HBSa-_TImW-5JA")
    }

    @Test func `a flow's name reads back`() {
        let id = FlowID(of: State.random())
        #expect(FlowID(id.description) == id)
        #expect(id.description.count == 22)
    }

    @Test(arguments: [
        "", "47DEQpj8HBSa-_TImW-5J", "47DEQpj8HBSa-_TImW-5JAA", "47DEQpj8HBSa-_TImW-5JB", "47DEQpj8HBSa-_TImW-5JA==",
        "47DEQpj8HBSa+/TImW+5JA", "47DEQpj8HBSa-_TImW-5JA\n", "47DEQpj8HBSa-_TImW-5J\u{410}", "' OR 1=1 --",
    ])
    func `a text of another shape names no flow`(_ text: String) {
        #expect(FlowID(text) == nil)
    }

    @Test(arguments: [0, 15, 17, 32])
    func `only 16 bytes name a flow`(_ count: Int) {
        #expect(FlowID(bytes: [UInt8](repeating: 0, count: count)) == nil)
    }
}

/// Every kind of secret text in the domain.
@Suite struct SecretKindsTests {
    static let kinds: [Any.Type] = [
        State.self, AuthorizationCode.self, CodeVerifier.self, CredentialKey.self, ExchangeVerifier.self,
        ClientSecret.self, AccessToken.self, RefreshToken.self, IDToken.self, BindingCookie.self,
    ]

    @Test(arguments: kinds)
    func `no secret can be encoded, compared or hashed`(_ kind: Any.Type) {
        #expect(!(kind is any Encodable.Type))
        #expect(!(kind is any Equatable.Type))
        #expect(!(kind is any Hashable.Type))
    }

    @Test func `no two kinds are one type`() {
        #expect(Set(Self.kinds.map { ObjectIdentifier($0) }).count == Self.kinds.count)
    }

    @Test func `what holds secrets cannot be encoded`() {
        for type in [Credentials.self, Client.self, ProviderRequest.self, ProviderResponse.self, Flow.self]
            as [Any.Type]
        {
            #expect(!(type is any Encodable.Type))
        }
    }

    @Test func `what holds secrets shows none`() throws {
        let client = Client(id: "id", secret: ClientSecret("hunter2"))
        let body = #"{"access_token":"hunter2","refresh_token":"hunter2","id_token":"hunter2","user":"hunter2"}"#
        let credentials = Credentials(
            tokens: try TokenResponse(
                ProviderResponse(status: 200, body: Array(body.utf8)), shape: .init(), now: TestTime.now),
            extras: [:], warnings: [])
        let request = ProviderRequest(
            method: .post, url: "https://example.com/hunter2", headers: [("Authorization", "hunter2")],
            body: Array("hunter2".utf8))
        let response = ProviderResponse(status: 200, headers: [("x", "hunter2")], body: Array("hunter2".utf8))
        for holder in [client, credentials, request, response, [request], Optional(response) as Any] as [Any] {
            var shown = "\(holder)" + String(reflecting: holder)
            print(holder, to: &shown)
            dump(holder, to: &shown)
            #expect(!shown.contains("hunter2"))
            // The first byte of a body in decimal, which a dumped array would show on a line of its own.
            #expect(!shown.contains("- 104"))
        }
    }
}
