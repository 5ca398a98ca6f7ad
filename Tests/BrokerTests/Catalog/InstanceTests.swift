import Catalog
import StrictYAML
import Testing

@testable import Broker

/// The host that is sent the client's secret is chosen by its operator, or by nobody beyond the vendor's own hosts
/// (CVE-2023-36019).
@Suite struct InstanceTests {
    private static let fixed = "authorizationURL: https://example.com/a\ntokenURL: https://example.com/t"
    private static let parameters = "parameters: { site: { pattern: '^[a-z-]+$' } }"

    /// Each of these is sent the client's secret, or a proof made with its key.
    @Test(arguments: [
        ("authorizationURL: https://example.com/a\ntokenURL: 'https://{site}.example.com/t'", "", "tokenURL"),
        (fixed, "refreshURL: 'https://{site}.example.com/t'", "refreshURL"),
        (fixed, "revocationURL: 'https://{site}.example.com/t'", "revocationURL"),
        (fixed, "pushedAuthorizationURL: 'https://{site}.example.com/t'", "pushedAuthorizationURL"),
        (fixed, "regions: { eu: { tokenURL: 'https://{site}.example.com/t' } }", "tokenURL"),
        (fixed, "endpointsFrom: { 2027-01-01: { tokenURL: 'https://{site}.example.com/t' } }", "tokenURL"),
        (fixed, "afterConnecting: { url: 'https://{site}.example.com/t' }", "afterConnecting"),
        ("discovery: true", "issuer: 'https://{site}.example.com'", "issuer"),
        (
            fixed, "clientAuthentication: private_key_jwt\nrefreshURL: 'https://{site}.example.com/t'", "refreshURL"
        ),
        (fixed, "clientAuthentication: tls\nrefreshURL: 'https://{site}.example.com/t'", "refreshURL"),
        (
            fixed,
            "clientAuthentication: none\nrefreshURL: 'https://{site}.example.com/t'\nrefreshParameters: { a: '{clientSecret}' }",
            "refreshURL"
        ),
        (
            fixed,
            "clientAuthentication: none\nrevocationURL: 'https://{site}.example.com/t'\nrevocation: { authentication: post }",
            "revocationURL"
        ),
        (
            "discovery: true",
            "clientAuthentication: none\nissuer: 'https://{site}.example.com'\nrevocation: { authentication: post }",
            "issuer"
        ),
        (
            "discovery: true",
            "clientAuthentication: none\nissuer: 'https://{site}.example.com'\nrevocation: { parameters: { a: '{clientSecret}' } }",
            "issuer"
        ),
    ])
    func `a parameter in a host that gets the client's secret needs a word`(
        _ addresses: String, _ oauth: String, _ address: String
    ) throws {
        let entry = { (more: String) in Entry.yaml("\(oauth)\n\(Self.parameters)\n\(more)", addresses: addresses) }
        #expect(
            Entry.findings(entry("")) == [
                "mine.yaml: sourceTypes.example.oauth.clientPerInstance: found nothing, wanted true or false: {site} stands in the host of \(address), which is sent the client's secret"
            ])
        #expect(Entry.findings(entry("clientPerInstance: false")) == [])
        let profile = try #require(try Entry.sourceType(entry("clientPerInstance: true")).oauth)
        #expect(profile.parameters.filter(\.setByOperator).map(\.name) == ["site"])
    }

    /// The operator's word about the parameter does not replace the author's about the product.
    @Test func `a parameter that the operator sets needs the word too`() {
        let entry = Entry.yaml(
            "parameters: { site: { pattern: '^.+$', setByOperator: true } }",
            addresses: "authorizationURL: 'https://{site}/a'\ntokenURL: 'https://{site}/t'")
        #expect(Entry.findings(entry).count == 1)
        #expect(Entry.findings(entry, allowInsecure: true).count == 1)
    }

    @Test(arguments: [
        "tokenParameters: { a: '{site}' }", "scopes: ['{site}.read']",
        "refreshURL: 'https://example.com/{site}?a={site}'",
        "clientAuthentication: none\nrefreshURL: 'https://{site}.example.com/t'",
        "revocationURL: 'https://{site}.example.com/t'\nrevocation: { authentication: none }",
    ])
    func `where no host gets the secret the word is not needed, and callers choose`(_ oauth: String) throws {
        let profile = try Entry.profile("\(oauth)\n\(Self.parameters)")
        #expect(profile.parameters.allSatisfy { !$0.setByOperator })
    }

    @Test(arguments: [
        ("", true), ("clientAuthentication: none", false), ("clientAuthentication: tls", false),
        ("clientAuthentication: none\nrevocation: { authentication: basic }", true),
        ("clientAuthentication: tls\nrevocation: { parameters: { a: '{clientSecret}' } }", true),
        ("clientAuthentication: private_key_jwt\nrevocation: { headers: { A: '{clientSecret}' } }", true),
        ("clientAuthentication: post\nrevocation: { authentication: none }", true),
        ("clientAuthentication: none\nrefreshParameters: { a: '{clientSecret}' }", true),
        (
            "clientAuthentication: none\nafterConnecting: { url: https://example.com, parameters: { a: '{clientSecret}' } }",
            true
        ),
    ])
    func `a client has a secret wherever one is sent`(_ oauth: String, _ needsSecret: Bool) throws {
        #expect(try Entry.profile("revocationURL: https://example.com/r\n\(oauth)").needsSecret == needsSecret)
    }

    @Test(arguments: [
        ("revocationURL: https://example.com/r", true),
        ("regions: { eu: { revocationURL: https://example.com/r } }", true),
        ("endpointsFrom: { 2027-01-01: { revocationURL: https://example.com/r } }", true),
        ("discovery: true\nissuer: https://example.com", true), ("", false),
    ])
    func `a token can be revoked wherever there is an address for it`(_ oauth: String, _ isThere: Bool) throws {
        #expect(try Entry.profile(oauth).hasRevocation == isThere)
        guard isThere else { return }
        #expect(try Entry.profile("\(oauth)\nrevocation: { method: GET }").revocation.method == .get)
    }

    @Test func `an address for browsers alone needs no word`() {
        let addresses = "authorizationURL: 'https://{site}.example.com/a'\ntokenURL: https://example.com/t"
        #expect(Entry.findings(Entry.yaml(Self.parameters, addresses: addresses)) == [])
    }

    // MARK: one client for all instances

    @Test(arguments: [
        ("https://{site}.example.com", "^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"),
        ("https://{site}.api.example.com:8443", "^\\w+$"), ("https://api-{site}.example.com", "^[a-z]+$"),
        ("https://{site}", "^[a-z]+\\.example\\.com$"), ("https://{site}", "^(a\\.example|b\\.example\\.org)$"),
        ("https://{site}", "^(?:login\\.example\\.com|[a-z]+(?:\\.(?:x|y))?\\.my\\.example\\.com)$"),
        ("https://{site}.example.com", "^(a\\.b|c)$"),
    ])
    func `one label under the vendor's domain, or hosts that are written out, are closed`(
        _ origin: String, _ pattern: String
    ) {
        #expect(Entry.findings(Self.shared(origin, pattern)) == [])
    }

    @Test(arguments: [
        ("https://{site}.example.com", "^[a-z.]+$"), ("https://{site}.example.com", "^.+$"),
        ("https://{site}.example.com", "^[^/]+$"), ("https://{site}.example.com", "^[a-z]+(\\.[a-z]+)*$"),
        ("https://{site}.com", "^[a-z]+$"), ("https://{site}", "^[a-z]+$"),
        ("https://{site}", "^[a-z-]+example\\.com$"),
        ("https://{site}", "^[a-z]+\\.(?:com|org)$"), ("https://{site}", "^(?:[a-z]+\\.)+example\\.com$"),
        ("https://{site}", "^[a-z.]+\\.example\\.com$"), ("https://{site}", "^a\\.example\\.com|.+$"),
        ("https://example{site}", "^[a-z]+$"), ("https://{site}example.com", "^[a-z-]+$"),
        ("https://{site}", "^(?:[a-z]+\\.example\\.com)?$"),
    ])
    func `a pattern that lets callers name a stranger's host is told`(_ origin: String, _ pattern: String) {
        let findings = Entry.findings(Self.shared(origin, pattern))
        #expect(findings.count == 1)
        #expect(findings.first?.contains("parameters.site.pattern: found") == true)
    }

    @Test(arguments: [
        ("^https://accounts\\.example\\.(?:com|eu)$", "", 0), ("^https://[a-z]+\\.example\\.com$", "", 0),
        ("^https://[a-z.]+$", "", 1), ("^https://[a-z]+\\.com$", "", 1), ("^https://.*example\\.com$", "", 1),
        ("^[a-z]+$", ", origin: 'https://{dc}.example.com'", 0),
        ("^[a-z.]+$", ", origin: 'https://{dc}.example.com'", 1),
        ("^[a-z]+$", ", origin: 'https://{dc}.com'", 1), ("^(a|b)$", ", origin: 'https://example.{dc}'", 0),
    ])
    func `a callback cannot name a stranger's host either`(_ pattern: String, _ more: String, _ count: Int) {
        let findings = Entry.findings(
            Entry.yaml("tokenOrigin: { callbackParameter: dc, pattern: '\(pattern)'\(more) }"))
        #expect(findings.count == count)
        #expect(findings.allSatisfy { $0.contains("tokenOrigin.pattern: found") })
    }

    @Test func `the operator names the host, or the callback does`() {
        let findings = Entry.findings(
            Entry.yaml("clientPerInstance: true\ntokenOrigin: { callbackParameter: dc, pattern: '^https://a$' }"))
        #expect(findings.count == 1)
    }

    private static func shared(_ origin: String, _ pattern: String) -> String {
        Entry.yaml(
            "clientPerInstance: false\nparameters: { site: { pattern: '\(pattern)' } }",
            addresses: "authorizationURL: https://example.com/a\ntokenURL: '\(origin)/t'")
    }

    // MARK: the built-in catalog

    /// From the providers' documentation: who registers a client, and what it is good for.
    @Test func `every built-in entry says whose its clients are`() {
        let findings = Findings()
        let entries = Catalog(allowInsecure: false, findings: findings).sourceTypes
        let those = { (said: Bool) in entries.filter { $0.oauth?.clientPerInstance == said }.map(\.id.description) }
        #expect(
            those(true) == [
                "auth0", "authentik", "azure_ad_b2c", "bitbucket_data_center", "blackboard_learn",
                "canvas_lms", "confluence_data_center", "docebo", "gitea", "github_enterprise",
                "gitlab_self_managed", "jira_data_center", "kintone", "mattermost", "netsuite",
                "okta", "servicenow", "sharefile", "snowflake", "superoffice", "workday",
            ])
        #expect(
            those(false) == [
                "aha", "bamboohr", "egnyte", "exact_online", "freshservice", "gorgias",
                "nationbuilder", "sage_people", "salesforce", "salesforce_pardot", "shopify",
                "zendesk",
            ])
        for entry in entries where entry.oauth?.clientPerInstance == true {
            #expect(entry.oauth?.parameters.allSatisfy(\.setByOperator) == true)
        }
    }
}
