import Broker
import StrictYAML
import Testing

/// Each mistake in a catalog file is told in one line: file, place, what was found, what is wanted.
@Suite struct CatalogFindingsTests {
    private static let urls = "authorizationURL: https://{host}/authorize\ntokenURL: https://example.com/token"

    // MARK: members of oauth

    @Test(arguments: [
        (
            "clientAuthentication: Basic",
            "clientAuthentication: found \"Basic\", wanted basic, basic_raw, post, none, client_secret_jwt, private_key_jwt, tls (did you mean \"basic\"?)"
        ),
        (
            "clientAuthentication: jwt",
            "clientAuthentication: found \"jwt\", wanted basic, basic_raw, post, none, client_secret_jwt, private_key_jwt, tls"
        ),
        ("tokenRequestFormat: xml", "tokenRequestFormat: found \"xml\", wanted form, json, query"),
        ("tokenMethod: PUT", "tokenMethod: found \"PUT\", wanted POST, GET"),
        ("pkce: s256", "pkce: found \"s256\", wanted S256, plain, none (did you mean \"S256\"?)"),
        ("pkce: [S256]", "pkce: found a list, wanted text"),
        ("refreshToken: always", "refreshToken: found \"always\", wanted expected, optional, never"),
        ("cutsOpener: maybe", "cutsOpener: found \"maybe\", wanted true or false"),
        ("cutsOpener:", "cutsOpener: found nothing, wanted true or false"),
        ("requireIssuer: true", "issuer: found nothing, wanted the issuer that requireIssuer needs"),
        ("scopes: read", "scopes: found \"read\", wanted a list"),
        ("scopes: [[read]]", "scopes: found a list, wanted a list of text"),
        ("scopes: [~]", "scopes: found nothing, wanted a list of text"),
        ("scopes: ['read write']", "scopes: found \"read write\", wanted scopes without spaces (RFC 6749 § 3.3)"),
        ("alwaysScopes: ['']", "alwaysScopes: found \"\", wanted scopes without spaces (RFC 6749 § 3.3)"),
        (
            "scopeAliases: { 'a**': [b] }",
            "scopeAliases.a**: found \"a**\", wanted a scope (RFC 6749 § 3.3) with at most one *"
        ),
        (
            "scopeAliases: { a: ['b c'] }",
            "scopeAliases.a: found \"b c\", wanted a scope (RFC 6749 § 3.3) with at most one *"
        ),
        ("scopeAliases: { a: b }", "scopeAliases.a: found \"b\", wanted a list"),
        (
            "reauthorizationErrors: [' .']",
            "reauthorizationErrors: found \" .\", wanted the provider's words, 1 to 256 bytes"
        ),
        ("scopeSeparator: {}", "scopeSeparator: found a mapping, wanted text"),
        (
            "discovery: true\nissuer: http://a.example",
            "issuer: found \"http://a.example\", wanted an https address (for trials: provider.allowInsecure, or --allow-insecure of lint)"
        ),
        ("discovery: true", "issuer: found nothing, wanted the issuer that discovery needs"),
        (
            "openid: true\nissuer: https://a.example",
            "jwksURL: found nothing, wanted the provider's keys, or discovery: true"
        ),
        (
            "jwksURL: http://example.com",
            "jwksURL: found \"http://example.com\", wanted an https address (for trials: provider.allowInsecure, or --allow-insecure of lint)"
        ),
        ("pushedAuthorizationURL: {}", "pushedAuthorizationURL: found a mapping, wanted text"),
        (
            "idTokenAlgorithms: [RS265]",
            "idTokenAlgorithms: found \"RS265\", wanted RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, "
                + "ES512, EdDSA, Ed25519, Ed448"
        ),
        ("idTokenAlgorithms: []", "idTokenAlgorithms: found an empty list, wanted an algorithm, or no such key"),
        (
            "regions: { eu: { authorizationURL: 'https://example.com/?st%61te=1&x=%FF' } }",
            "authorizationURL: found a query that cannot be decoded, wanted names and values in UTF-8, percent-encoded"
        ),
        (
            "revocation: { token: path }\nregions: { eu: { revocationURL: 'https://example.com/{token}' }, us: { revocationURL: https://example.com/r } }",
            "revocationURL: found no {token}, wanted the token's place in the path"
        ),
        ("regions: { a b: {} }", "regions.a b: found \"a b\", wanted a name of letters, digits, - and _"),
        (
            "regions: { eu: { tokenUrl: https://example.com } }",
            "regions.eu.tokenUrl: found an unknown name (did you mean \"tokenURL\"?), wanted one of afterConnectingURL, authorizationURL, refreshURL, revocationURL, tokenURL"
        ),
        (
            "endpointsFrom: { 2027-13-01: {} }",
            "endpointsFrom.2027-13-01: found \"2027-13-01\", wanted a date such as 2027-02-16"
        ),
        (
            "tokenOrigin: { pattern: '^a$' }",
            "tokenOrigin.callbackParameter: found nothing, wanted the callback parameter that tells the host"
        ),
        (
            "callbackSignature: {}",
            "callbackSignature.parameter: found nothing, wanted the callback parameter that holds the signature"
        ),
        (
            "callbackError: {}",
            "callbackError.error: found nothing, wanted the callback parameters that tell an error"
        ),
        (
            "callbackError: { error: [code] }",
            "callbackError.error: found \"code\", wanted parameters that come with an error alone"
        ),
        ("afterConnecting: {}", "afterConnecting.url: found nothing, wanted an https address"),
        ("revocation: { method: POST }", "revocationURL: found nothing, wanted the address that revocation needs"),
        (
            "regions: { eu: { afterConnectingURL: https://example.com } }",
            "regions.eu.afterConnectingURL: found a value, and no afterConnecting, wanted both or neither"
        ),
        (
            "regions: { eu: { authorizationURL: 'https://example.com/?a=b&st%61te=1' } }",
            "authorizationURL: found state in its query, wanted a query without it: the broker sets it"
        ),
        (
            "tokenHeaders: { authorization: Basic }",
            "tokenHeaders.authorization: found a value, wanted none: the client authenticates there"
        ),
        (
            "resources: ['urn:a', 'urn:b']\ntokenRequestFormat: json",
            "resources: found 2, wanted one: RFC 8707 repeats the name, which JSON cannot"
        ),
        ("resources: [a]", "resources: found \"a\", wanted an absolute address (RFC 8707 § 2)"),
        ("response: { lifetime: soon }", "response.lifetime: found \"soon\", wanted seconds, or never"),
        (
            "authorizationParameters: { a: null }",
            "authorizationParameters.a: found nothing, wanted a value: only response_type and scope can be left out"
        ),
        (
            "tokenHeaders: { X-Secret: '{client_secret}' }",
            """
            tokenHeaders.X-Secret: found the placeholder {client_secret}, wanted one of the entry's parameters or \
            {clientId}, {clientSecret}, {redirectURI}, {scope} (did you mean "clientSecret"?)
            """
        ),
        (
            "clientAuthentication: client_secret_post",
            """
            clientAuthentication: found "client_secret_post", wanted basic, basic_raw, post, none, client_secret_jwt, \
            private_key_jwt, tls (did you mean "post"?)
            """
        ),
        (
            "clientAuthentication: client_secret_basic",
            """
            clientAuthentication: found "client_secret_basic", wanted basic, basic_raw, post, none, client_secret_jwt, \
            private_key_jwt, tls (did you mean "basic"?)
            """
        ),
        ("scopes: ['{org}/read']", "scopes: found the placeholder {org}, wanted one of the entry's parameters"),
        ("authorizationParameters: [a]", "authorizationParameters: found a list, wanted a mapping of names to values"),
        ("authorizationParameters: { a: [b] }", "authorizationParameters.a: found a list, wanted text"),
        (
            "authorizationParameters: { state: x }",
            "authorizationParameters.state: found a value, wanted none: the broker sets it"
        ),
        ("tokenParameters: { a: [] }", "tokenParameters.a: found a list, wanted text"),
        (
            "tokenParameters: { grant_type: x }",
            "tokenParameters.grant_type: found a value, wanted none: set it in exchangeParameters or refreshParameters"
        ),
        ("tokenHeaders: { 'X Y': z }", "tokenHeaders.X Y: found \"z\", wanted an HTTP header (RFC 9110 § 5)"),
        (
            "tokenHeaders: { X: \"a\\r\\nY: b\" }",
            "tokenHeaders.X: found \"a  Y: b\", wanted an HTTP header (RFC 9110 § 5)"
        ),
        ("refreshURL: example.com", "refreshURL: found \"example.com\", wanted an https address"),
        (
            "revocationURL: 'https://example.com/#x'",
            "revocationURL: found \"https://example.com/#x\", wanted an address without a fragment"
        ),
        ("parameters: [a]", "parameters: found a list, wanted a mapping of names to values"),
        ("parameters: { a: b }", "parameters.a: found \"b\", wanted a mapping of names to values"),
        (
            "parameters: { a: {} }",
            "parameters.a.pattern: found nothing, wanted a regular expression that values match whole"
        ),
        (
            "parameters: { a: { pattern: '[' } }",
            "parameters.a.pattern: found \"[\", wanted a regular expression with a ] for each ["
        ),
        (
            "parameters: { a: { pattern: '^(?=a).*$' } }",
            "parameters.a.pattern: found \"^(?=a).*$\", wanted a regular expression without lookahead"
        ),
        (
            "parameters: { a: { pattern: '(a{1,1000}){1,1000}' } }",
            "parameters.a.pattern: found \"(a{1,1000}){1,1000}\", wanted a regular expression with less repetition"
        ),
        (
            "tokenOrigin: { callbackParameter: a, pattern: '(b' }",
            "tokenOrigin.pattern: found \"(b\", wanted a regular expression with a ) for each ("
        ),
        (
            "extras: { callback: { a: { pattern: '*' } } }",
            "extras.callback.a.pattern: found \"*\", wanted a regular expression with something to repeat before each *, +, ? and {"
        ),
        (
            "extras: { token: { a: { pattern: '^a$' } } }",
            "extras.token.a.pointer: found nothing, wanted a JSON pointer such as /data/token (RFC 6901)"
        ),
        ("clientPerInstance: perhaps", "clientPerInstance: found \"perhaps\", wanted true or false"),
        (
            "parameters: { a: { pattern: '^a$', default: b } }",
            "parameters.a.default: found \"b\", wanted a value that matches ^a$"
        ),
        (
            "parameters: { a: { pattern: '^a$', required: often } }",
            "parameters.a.required: found \"often\", wanted true or false"
        ),
        (
            "parameters: { a: { pattern: '^a$', defualt: a } }",
            """
            parameters.a.defualt: found an unknown name (did you mean "default"?), wanted one of default, description, \
            pattern, required, setByOperator
            """
        ),
        (
            "response: { accessToken: token }",
            "response.accessToken: found \"token\", wanted a JSON pointer such as /data/token (RFC 6901)"
        ),
        (
            "response: { failureUnless: { equals: 1 } }",
            "response.failureUnless.pointer: found nothing, wanted a JSON pointer such as /data/token (RFC 6901)"
        ),
        (
            "response: { failureUnless: { pointer: ok, equals: 1 } }",
            "response.failureUnless.pointer: found \"ok\", wanted a JSON pointer such as /data/token (RFC 6901)"
        ),
        (
            "response: { failureUnless: { pointer: /ok } }",
            "response.failureUnless.equals: found nothing to compare, wanted text, a number, true or false"
        ),
        (
            "response: { failureUnless: { pointer: /ok, equals: [1] } }",
            "response.failureUnless.equals: found nothing to compare, wanted text, a number, true or false"
        ),
        (
            "response: { refresh: { expiresIn: x } }",
            "response.refresh.expiresIn: found \"x\", wanted a JSON pointer such as /data/token (RFC 6901)"
        ),
        (
            "extras: { callback: [code] }",
            "extras.callback: found \"code\", wanted parameters that the protocol does not use"
        ),
        (
            "extras: { token: { id: id } }",
            "extras.token.id: found \"id\", wanted a JSON pointer such as /data/token (RFC 6901)"
        ),
    ])
    func `a mistake in a member is told in one line`(_ member: String, _ finding: String) {
        #expect(Entry.findings(Entry.yaml(member)) == ["mine.yaml: sourceTypes.example.oauth.\(finding)"])
    }

    /// An empty pattern is there, and matches nothing that could stand in an address.
    @Test func `an empty pattern is told`() {
        #expect(Entry.findings(Entry.yaml("parameters: { a: { pattern: '' } }")).count == 1)
    }

    @Test(arguments: ["client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "nonce"])
    func `what binds a flow cannot be set by an entry`(_ name: String) {
        #expect(Entry.findings(Entry.yaml("authorizationParameters: { \(name): x }")).count == 1)
    }

    /// The scopes would else stand under a name that binds the flow.
    @Test(arguments: [
        "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "nonce", "response_type", "",
        "a&b",
    ])
    func `what binds a flow cannot be the name of the scopes`(_ name: String) {
        #expect(Entry.findings(Entry.yaml("scopes: [read]\nscopeParameter: '\(name)'")).count == 1)
    }

    /// RFC 9110 § 8.6 and RFC 9112 § 6.1: these frame or route the message; no request with them is sent.
    @Test(arguments: [
        "Content-Length", "transfer-encoding", "Host", "Connection", "Expect", "Upgrade", "TE", "Trailer",
    ])
    func `a header that frames or routes the message is told`(_ name: String) {
        #expect(Entry.findings(Entry.yaml("tokenHeaders: { \(name): x }")).count == 1)
    }

    @Test func `an empty separator would make one scope of many`() {
        #expect(Entry.findings(Entry.yaml("scopes: [a, b]\nscopeSeparator: ''")).count == 1)
    }

    // MARK: addresses

    @Test(arguments: [
        ("tokenURL: https://example.com/t", "authorizationURL: found nothing, wanted an https address"),
        ("authorizationURL: https://example.com/a", "tokenURL: found nothing, wanted an https address"),
        ("authorizationURL: https://example.com/a\ntokenURL: 5", "tokenURL: found \"5\", wanted an https address"),
        ("authorizationURL: https://example.com/a\ntokenURL:", "tokenURL: found nothing, wanted text"),
        ("authorizationURL: https://example.com/a\ntokenURL: [a]", "tokenURL: found a list, wanted text"),
        (
            "authorizationURL: https://example.com/a\ntokenURL: http://example.com/t",
            "tokenURL: found \"http://example.com/t\", wanted an https address (for trials: provider.allowInsecure, or --allow-insecure of lint)"
        ),
        (
            "authorizationURL: https://example.com/a\ntokenURL: https://a@example.com/t",
            "tokenURL: found \"https://a@example.com/t\", wanted an address without user information"
        ),
        (
            "authorizationURL: https://example.com/a\ntokenURL: 'https://{example.com/t'",
            "tokenURL: found \"https://{example.com/t\", wanted placeholders such as {subdomain}"
        ),
        (
            "authorizationURL: https://example.com/a\ntokenURL: https://example.com:0/t",
            "tokenURL: found \"https://example.com:0/t\", wanted a well-formed https address"
        ),
        (
            urls,
            "authorizationURL: found the placeholder {host}, wanted one of the entry's parameters or {clientId}"
        ),
    ])
    func `a mistake in an address is told in one line`(_ addresses: String, _ finding: String) {
        #expect(Entry.findings(Entry.yaml(addresses: addresses)) == ["mine.yaml: sourceTypes.example.oauth.\(finding)"])
    }

    @Test func `a placeholder that is nearly a parameter is told with the parameter`() {
        let findings = Entry.findings(Entry.yaml("parameters: { hosts: { pattern: '^a$' } }", addresses: Self.urls))
        #expect(
            findings == [
                """
                mine.yaml: sourceTypes.example.oauth.authorizationURL: found the placeholder {host}, wanted one of the entry's \
                parameters or {clientId} (did you mean "hosts"?)
                """
            ])
    }

    @Test func `an optional parameter in an address is told`() {
        let findings = Entry.findings(
            Entry.yaml("parameters: { host: { pattern: '^a$', required: false } }", addresses: Self.urls))
        #expect(
            findings == [
                """
                mine.yaml: sourceTypes.example.oauth.parameters.host: found an optional parameter in authorizationURL, wanted \
                required: true, or a default
                """
            ])
    }

    /// The parameter is there, only its pattern is wrong: that alone is told.
    @Test(arguments: ["{ pattern: '[' }", "{ description: d, default: a }", "text", "[a]"])
    func `a mistake in a parameter that an address uses is told once`(_ parameter: String) {
        let findings = Entry.findings(Entry.yaml("parameters: { host: \(parameter) }", addresses: Self.urls))
        #expect(findings.count == 1)
        #expect(findings.allSatisfy { $0.hasPrefix("mine.yaml: sourceTypes.example.oauth.parameters.host") })
    }

    // MARK: around oauth

    @Test(arguments: [
        ("category: c", "sourceTypes.example.displayName: found nothing, wanted the name that people know it by"),
        ("displayName: E", "sourceTypes.example.category: found nothing, wanted a word such as drive, wiki or chat"),
        ("displayName: E\ncategory: [c]", "sourceTypes.example.category: found a list, wanted text"),
        (
            "displayName: E\ncategory: c\nprovider: My Provider",
            "sourceTypes.example.provider: found \"My Provider\", wanted a name like ^[a-z][a-z0-9_]{0,63}$"
        ),
        (
            "displayName: E\ncategory: c\nprovidr: mine",
            """
            sourceTypes.example.providr: found an unknown name (did you mean "provider"?), wanted one of category, \
            displayName, documentation, oauth, provider, registration
            """
        ),
        (
            "displayName: E\ncategory: c\nsomethingElse: mine",
            "sourceTypes.example.somethingElse: found an unknown name, wanted one of category, displayName, documentation, oauth, provider, registration"
        ),
    ])
    func `a mistake in an entry is told in one line`(_ more: String, _ finding: String) {
        #expect(Entry.findings(Entry.yaml(more: more)) == ["mine.yaml: \(finding)"])
    }

    @Test func `an unknown member of oauth is told with its nearest name`() {
        let findings = Entry.findings(Entry.yaml("tokenHeader: { a: b }"))
        #expect(findings.count == 1)
        #expect(
            findings.first?.hasPrefix(
                """
                mine.yaml: sourceTypes.example.oauth.tokenHeader: found an unknown name (did you mean "tokenHeaders"?), wanted one of
                """) == true)
    }

    @Test(arguments: [
        ("[a]", "found a list, wanted a mapping of names to values"),
        ("text", "found \"text\", wanted a mapping of names to values"),
        ("", "sourceTypes: found nothing, wanted a mapping of source types"),
        ("# only a comment", "sourceTypes: found nothing, wanted a mapping of source types"),
        ("sourceTypes: [a]", "sourceTypes: found a list, wanted a mapping of names to values"),
        ("sourceTypes: { example: text }", "sourceTypes.example: found \"text\", wanted a mapping of names to values"),
        (
            "sourceTypes: { Example: { displayName: E, category: c } }",
            "sourceTypes.Example: found \"Example\", wanted a source type like ^[a-z][a-z0-9_]{0,63}$"
        ),
        (
            "sourceTypes: {}\nsourcetype: {}",
            "sourcetype: found an unknown name (did you mean \"sourceTypes\"?), wanted one of sourceTypes"
        ),
        ("sourceTypes: { [a, b]: {} }", "sourceTypes: found a name that is not text, wanted a word"),
    ])
    func `a mistake in a file is told in one line`(_ text: String, _ finding: String) {
        #expect(Entry.findings(text) == ["mine.yaml: \(finding)"])
    }

    @Test(arguments: [
        "sourceTypes: {", "a: b: c", "\t- x", "sourceTypes: *missing", "a: 'x", "%YAML 9\n---\na: b\n...\n@",
    ])
    func `a file that is not YAML is told in one line`(_ text: String) {
        let findings = Entry.findings(text)
        #expect(findings.count == 1)
        #expect(findings.first?.hasPrefix("mine.yaml: not YAML: ") == true)
        #expect(findings.first?.contains("\n") == false)
    }

    @Test func `a name that comes twice is told once`() {
        let findings = Entry.findings(Entry.yaml("pkce: none\npkce: S256"))
        #expect(findings.count == 1)
        #expect(findings.first?.contains("pkce") == true)
    }

    @Test func `all mistakes of a file are told at once`() {
        let findings = Entry.findings(Entry.yaml("pkce: no\ncutsOpener: no way\nscopes: 1"))
        #expect(findings.count == 3)
    }

    @Test func `what is quoted is cut short and on one line`() {
        let findings = Entry.findings(Entry.yaml("pkce: \"\(String(repeating: "x", count: 500))\\n\\0\""))
        #expect(findings.count == 1)
        #expect(findings.allSatisfy { $0.utf8.count < 200 && !$0.contains("\n") && !$0.contains("\0") })
    }
}
