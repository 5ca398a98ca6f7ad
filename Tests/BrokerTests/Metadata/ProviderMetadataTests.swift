import Testing

@testable import Broker

/// RFC 8414 § 2 and § 3, OpenID Connect Discovery 1.0 § 3 and § 4.
@Suite struct ProviderMetadataTests {
    static let issuer = "https://server.example.com"

    private func read(_ json: String, issuer: String = Self.issuer, allowInsecure: Bool = false) throws(MetadataError)
        -> ProviderMetadata
    {
        try ProviderMetadata(json: Array(json.utf8), issuer: issuer, allowInsecure: allowInsecure)
    }

    private func fault(_ json: String, issuer: String = Self.issuer) -> MetadataError? {
        do throws(MetadataError) {
            _ = try read(json, issuer: issuer)
            return nil
        } catch {
            return error
        }
    }

    /// RFC 8414 § 3.2, with the members of RFC 9126 § 5 and RFC 9207 § 3 added.
    @Test func `the published document is read`() throws {
        let metadata = try read(
            """
            {
             "issuer":"https://server.example.com",
             "authorization_endpoint":"https://server.example.com/authorize",
             "token_endpoint":"https://server.example.com/token",
             "token_endpoint_auth_methods_supported":["client_secret_basic","private_key_jwt"],
             "token_endpoint_auth_signing_alg_values_supported":["RS256", "ES256"],
             "userinfo_endpoint":"https://server.example.com/userinfo",
             "jwks_uri":"https://server.example.com/jwks.json",
             "registration_endpoint":"https://server.example.com/register",
             "scopes_supported":["openid", "profile", "email", "address", "phone", "offline_access"],
             "response_types_supported":["code", "code token"],
             "service_documentation":"http://server.example.com/service_documentation.html",
             "ui_locales_supported":["en-US", "en-GB", "en-CA", "fr-FR", "fr-CA"],
             "revocation_endpoint":"https://server.example.com/revoke",
             "pushed_authorization_request_endpoint":"https://server.example.com/par",
             "require_pushed_authorization_requests":true,
             "authorization_response_iss_parameter_supported":true,
             "code_challenge_methods_supported":["S256"],
             "id_token_signing_alg_values_supported":["RS256","none"]
            }
            """)
        #expect(metadata.issuer == Self.issuer)
        #expect(metadata.authorizationEndpoint == "https://server.example.com/authorize")
        #expect(metadata.tokenEndpoint == "https://server.example.com/token")
        #expect(metadata.revocationEndpoint == "https://server.example.com/revoke")
        #expect(metadata.jwksURI == "https://server.example.com/jwks.json")
        #expect(metadata.pushedAuthorizationEndpoint == "https://server.example.com/par")
        #expect(metadata.requiresPushedAuthorization && metadata.sendsIssuer)
        #expect(metadata.codeChallengeMethods == ["S256"])
        #expect(metadata.idTokenAlgorithms == ["RS256", "none"])
        #expect(metadata.tokenEndpointAuthMethods == ["client_secret_basic", "private_key_jwt"])
        #expect(metadata.mutualTLS.tokenEndpoint == nil)
        #expect(metadata.registrationEndpoint == "https://server.example.com/register")
        #expect(metadata.scopes == ["openid", "profile", "email", "address", "phone", "offline_access"])
        #expect(!metadata.takesClientDocuments)
    }

    @Test(arguments: [#"\ud83d"#, "a\nb", "\u{0}", #"\x"#])
    func `what nobody asks for costs no metadata, and what decides is not repaired`(_ odd: String) throws {
        let metadata = try read(
            #"{"issuer":"\#(Self.issuer)","service_documentation":"\#(odd)","\#(odd)":1,"token_endpoint":"https://a.example/t"}"#
        )
        #expect(metadata.tokenEndpoint == "https://a.example/t")
        let latin = Array(#"{"issuer":"\#(Self.issuer)","op_policy_uri":""#.utf8) + [0xE9] + Array(#""}"#.utf8)
        #expect(try ProviderMetadata(json: latin, issuer: Self.issuer).issuer == Self.issuer)
        guard case .issuerMismatch? = fault(#"{"issuer":"\#(Self.issuer)\#(odd)"}"#) else {
            Issue.record("an issuer was repaired")
            return
        }
    }

    /// RFC 8705 § 5.
    @Test func `aliases for clients with a certificate are read as strictly`() throws {
        func document(_ aliases: String) -> String {
            #"{"issuer":"\#(Self.issuer)","mtls_endpoint_aliases":\#(aliases)}"#
        }
        let metadata = try read(
            document(
                """
                {"token_endpoint":"https://mtls.example.com/token","revocation_endpoint":"https://mtls.example.com/revoke",
                 "pushed_authorization_request_endpoint":"https://mtls.example.com/par","introspection_endpoint":"x"}
                """))
        #expect(metadata.mutualTLS.tokenEndpoint == "https://mtls.example.com/token")
        #expect(metadata.mutualTLS.revocationEndpoint == "https://mtls.example.com/revoke")
        #expect(metadata.mutualTLS.pushedAuthorizationEndpoint == "https://mtls.example.com/par")
        for (aliases, member, kind) in [
            ("[]", "mtls_endpoint_aliases", MetadataFault.Kind.malformed),
            (
                #"{"token_endpoint":"http://mtls.example.com/token"}"#, "mtls_endpoint_aliases.token_endpoint",
                .noAddress
            ),
        ] {
            let metadata = try read(document(aliases))
            #expect(metadata.mutualTLS.tokenEndpoint == nil)
            #expect(metadata.faults == [MetadataFault(member: member, kind: kind)])
        }
    }

    @Test func `what a document leaves out is absent or false`() throws {
        let metadata = try read(#"{"issuer":"https://server.example.com","token_endpoint":null}"#)
        #expect(metadata.tokenEndpoint == nil && metadata.jwksURI == nil && metadata.codeChallengeMethods == nil)
        #expect(!metadata.requiresPushedAuthorization && !metadata.sendsIssuer)
    }

    /// RFC 8414 § 3.3: identical, or nothing in it may be used.
    @Test(arguments: [
        #"{}"#, #"{"issuer":"https://evil.example"}"#, #"{"issuer":5}"#, #"{"issuer":"https://server.example.com//"}"#,
        #"{"issuer":"https://server.example.com/tenant"}"#, #"{"issuer":"HTTPS://server.example.com"}"#,
        #"{"issuer":"https://Server.example.com"}"#, #"{"issuer":"https://server.example.com:443"}"#,
        #"{"issuer":"http://server.example.com"}"#, #"{"issuer":""}"#, #"{"issuer":null}"#,
    ])
    func `another issuer's document is refused`(_ json: String) {
        #expect(fault(json) == .issuerMismatch)
    }

    /// RFC 8414 § 3.3 has no mercy with it, and nobody sees it.
    @Test(arguments: [("https://server.example.com", "/"), ("https://server.example.com/", "")])
    func `an issuer that differs by a slash gets words of its own`(_ issuer: String, _ ending: String) {
        let json = "{\"issuer\":\"https://server.example.com\(ending)\"}"
        #expect(fault(json, issuer: issuer) == .issuerDiffersBySlash(expected: issuer))
        #expect(MetadataError.issuerDiffersBySlash(expected: issuer).reason.description.contains("trailing slash"))
    }

    @Test func `a Kelvin sign in an issuer is no K`() {
        #expect(
            fault("{\"issuer\":\"https://a.example/\u{212A}\"}", issuer: "https://a.example/K") == .issuerMismatch)
    }

    @Test(arguments: [
        "authorization_endpoint", "token_endpoint", "revocation_endpoint", "jwks_uri",
        "pushed_authorization_request_endpoint",
    ])
    func `an address that is not plainly https counts as absent`(_ name: String) throws {
        for address in [
            "http://server.example.com/x", "https://user@server.example.com/x",
            "https://server.example.com:pw@evil.example",
            "https://server.example.com/x#f", "javascript:alert(1)", "file:///etc/passwd", "//server.example.com", "",
            "x",
            "https://", "https:///x", "https://server.example.com\\\\@evil.example/", "https://server.example.com/ x",
            "https://sérver.example.com/", "https://0x7f000001/", "https://server.example.com:0/", "ftp://a.example/",
            "/oauth2/token", "https://server.example.com/{tenantid}/token",
            "https://server.example.com/" + String(repeating: "a", count: 3000),
        ] {
            let json = "{\"issuer\":\"\(Self.issuer)\",\"\(name)\":\"\(address)\"}"
            let metadata = try read(json)
            #expect(metadata.faults == [MetadataFault(member: name, kind: .noAddress)], "\(address)")
            #expect(Self.addresses(metadata).allSatisfy { $0 == nil })
        }
        let metadata = try read("{\"issuer\":\"\(Self.issuer)\",\"\(name)\":1}")
        #expect(metadata.faults == [MetadataFault(member: name, kind: .malformed)])
        #expect(Self.addresses(metadata).allSatisfy { $0 == nil })
    }

    private static func addresses(_ metadata: ProviderMetadata) -> [String?] {
        [
            metadata.authorizationEndpoint, metadata.tokenEndpoint, metadata.revocationEndpoint, metadata.jwksURI,
            metadata.pushedAuthorizationEndpoint,
        ]
    }

    @Test func `http is allowed in trials alone`() throws {
        let json = #"{"issuer":"http://127.0.0.1:8081","token_endpoint":"http://127.0.0.1:8081/token"}"#
        let metadata = try read(json, issuer: "http://127.0.0.1:8081", allowInsecure: true)
        #expect(metadata.tokenEndpoint == "http://127.0.0.1:8081/token")
        #expect(try read(json, issuer: "http://127.0.0.1:8081").tokenEndpoint == nil)
    }

    @Test(arguments: [
        (#""require_pushed_authorization_requests":"true""#, "require_pushed_authorization_requests"),
        (#""require_pushed_authorization_requests":1"#, "require_pushed_authorization_requests"),
        (#""authorization_response_iss_parameter_supported":[]"#, "authorization_response_iss_parameter_supported"),
        (#""code_challenge_methods_supported":"S256""#, "code_challenge_methods_supported"),
        (#""id_token_signing_alg_values_supported":[1]"#, "id_token_signing_alg_values_supported"),
        (#""token_endpoint_auth_methods_supported":{}"#, "token_endpoint_auth_methods_supported"),
    ])
    func `a member of a wrong type counts as absent`(_ member: String, _ name: String) throws {
        let metadata = try read("{\"issuer\":\"\(Self.issuer)\",\(member)}")
        #expect(metadata.faults == [MetadataFault(member: name, kind: .malformed)])
        #expect(!metadata.requiresPushedAuthorization && !metadata.sendsIssuer)
        #expect(metadata.codeChallengeMethods == nil && metadata.idTokenAlgorithms == nil)
        #expect(metadata.remark?.description == "\"\(name)\" is malformed: it counts as absent")
    }

    /// RFC 8414 § 3.2: it would have been left out.
    @Test func `an empty list says nothing`() throws {
        let metadata = try read("{\"issuer\":\"\(Self.issuer)\",\"id_token_signing_alg_values_supported\":[]}")
        #expect(metadata.idTokenAlgorithms == nil && metadata.faults.isEmpty)
    }

    @Test(arguments: [
        "", "[]", "null", "<html></html>", "{", #"{"issuer":"https://server.example.com""#,
        #"{"issuer":"https://server.example.com","issuer":"https://evil.example"}"#,
        #"{"issuer":"https://server.example.com","jwks_uri":"https://a.example","jwks_uri":"https://b.example"}"#,
    ])
    func `what is no document is refused`(_ json: String) {
        #expect(fault(json) == .notAnObject)
    }

    @Test func `a document may have a quarter of a mebibyte`() {
        let padded = { (count: Int) in
            "{\"issuer\":\"\(Self.issuer)\"" + String(repeating: " ", count: count - 13 - Self.issuer.utf8.count) + "}"
        }
        #expect(fault(padded(256 * 1024)) == nil)
        #expect(fault(padded(256 * 1024 + 1)) == .tooLarge)
        #expect(fault(String(repeating: "[", count: 200_000)) == .notAnObject)
    }

    /// RFC 8414 § 3.1, OpenID Connect Discovery § 4.1.
    @Test(arguments: [
        (
            "https://example.com", "https://example.com/.well-known/oauth-authorization-server",
            "https://example.com/.well-known/openid-configuration"
        ),
        (
            "https://example.com/", "https://example.com/.well-known/oauth-authorization-server",
            "https://example.com/.well-known/openid-configuration"
        ),
        (
            "https://example.com/issuer1", "https://example.com/.well-known/oauth-authorization-server/issuer1",
            "https://example.com/issuer1/.well-known/openid-configuration"
        ),
        (
            "https://example.com:8443/a/b/", "https://example.com:8443/.well-known/oauth-authorization-server/a/b",
            "https://example.com:8443/a/b/.well-known/openid-configuration"
        ),
    ])
    func `a document is looked for where the RFCs put it`(_ issuer: String, _ first: String, _ second: String) {
        // RFC 8414 § 5: where the issuer has a path, the other document may stand before it too.
        let path = first.split(separator: "oauth-authorization-server", omittingEmptySubsequences: false)[1]
        let origin = first.split(separator: "/.well-known")[0]
        let third = path.isEmpty ? [] : ["\(origin)/.well-known/openid-configuration\(path)"]
        #expect(ProviderMetadata.addresses(issuer) == [first, second] + third)
    }

    @Test(arguments: [
        "", "example.com", "https://a.example?x", "https://a.example/#f", "https://u@a.example", "ftp://a",
    ])
    func `what is no issuer has no document`(_ issuer: String) {
        #expect(ProviderMetadata.addresses(issuer) == [])
    }
}
