import Testing

@testable import Formats

@Suite struct IssuerNameTests {
    private static let tenants = IssuerName("https://login.example.com/{tenantid}/v2.0")

    @Test func `a name without the placeholder is the same for all`() {
        let issuer = IssuerName("https://a.example/{tenant}")
        #expect(!issuer.hasTenants && issuer.name(for: "any") == "https://a.example/{tenant}")
        #expect(issuer.admits("https://a.example/{tenant}") && !issuer.admits("https://a.example/x"))
    }

    @Test func `each tenant has a name of its own`() {
        #expect(Self.tenants.hasTenants)
        #expect(Self.tenants.name(for: "72f988bf-86f1") == "https://login.example.com/72f988bf-86f1/v2.0")
        #expect(Self.tenants.admits("https://login.example.com/72f988bf-86f1/v2.0"))
        #expect(IssuerName("{tenantid}").name(for: "a") == "a" && IssuerName("{tenantid}").admits("a"))
    }

    /// It stands in an address: nothing in it may change more than its place.
    @Test(arguments: [
        "", "a/b", "..", "a.b", "a b", "a%2Fb", "{tenantid}", "é", "a\u{301}", "a\u{0}", "a?b", "a#b",
        String(repeating: "a", count: 65),
    ])
    func `what is no plain word is no tenant`(_ tenant: String) {
        #expect(Self.tenants.name(for: tenant) == nil)
        #expect(!Self.tenants.admits("https://login.example.com/\(tenant)/v2.0"))
    }

    @Test(arguments: [
        "https://login.example.com/v2.0", "https://login.example.com//v2.0", "https://login.example.com/a/v2.0/",
        "https://login.example.com/a/v2.1", "http://login.example.com/a/v2.0", "https://login.example.com.evil/a/v2.0",
        "xhttps://login.example.com/a/v2.0", "",
    ])
    func `another name is not admitted`(_ name: String) {
        #expect(!Self.tenants.admits(name))
    }

    @Test func `a slash at the end is told apart from all else`() {
        #expect("https://a.example".differsBySlash(from: "https://a.example/"))
        #expect("https://a.example/".differsBySlash(from: "https://a.example"))
        for other in ["https://a.example", "https://a.example//", "https://b.example/", ""] {
            #expect(!"https://a.example".differsBySlash(from: other))
        }
    }
}
