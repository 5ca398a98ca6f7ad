import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import Sandbox

struct DemoFrontendTests {
    private func visiting(
        tenant: String = "demo", _ conversation: @escaping @Sendable (any TestClientProtocol) async throws -> Void
    ) async throws {
        let frontend = DemoFrontend(
            baseURL: "http://demo.test:8082", brokerURL: "http://broker.test:8080/base",
            providerURL: "http://provider.test:8081", tenant: tenant, token: { "header.payload.signature" })
        try await Application(router: frontend.router()).test(.router) { try await conversation($0) }
    }

    @Test(arguments: ["/", "/connected"])
    func `the page loads scripts from itself and the broker alone`(path: String) async throws {
        try await visiting { client in
            let page = try await client.execute(uri: path, method: .get)
            #expect(page.status == .ok)
            let policy = try #require(page.headers[.contentSecurityPolicy])
            #expect(policy.contains("default-src 'none'"))
            #expect(policy.contains("script-src 'self' http://broker.test:8080;"))
            #expect(policy.contains("connect-src 'self' http://broker.test:8080 http://provider.test:8081;"))
            #expect(!policy.contains("unsafe"))
            #expect(page.text.contains("data-broker=\"http://broker.test:8080/base\""))
            #expect(page.text.contains("<html lang=\"en\">"))
        }
    }

    @Test func `the page has no inline script, style or handler`() async throws {
        try await visiting { client in
            let text = try await client.execute(uri: "/", method: .get).text
            #expect(text.matches(of: /<script(?! type="module" src=")/).isEmpty)
            #expect(text.matches(of: /\s(on[a-z]+|style)="/).isEmpty)
        }
    }

    @Test func `settings are escaped in the page`() async throws {
        try await visiting(tenant: #""><script>"#) { client in
            let text = try await client.execute(uri: "/", method: .get).text
            #expect(!text.contains("<script>"))
        }
    }

    @Test func `the session gives the page its token`() async throws {
        try await visiting { client in
            let mine = try await client.execute(uri: "/session", method: .get, headers: [.secFetchSite: "same-origin"])
            #expect(mine.text == #"{"token":"header.payload.signature"}"#)
            #expect(mine.headers[.cacheControl] == "no-store")
            #expect(mine.headers[.accessControlAllowOrigin] == nil)
        }
    }

    @Test(arguments: ["cross-site", "same-site", "none"])
    func `the session gives another site nothing`(site: String) async throws {
        try await visiting { client in
            let theirs = try await client.execute(uri: "/session", method: .get, headers: [.secFetchSite: site])
            #expect(theirs.status == .forbidden)
            #expect(!theirs.text.contains("payload"))
        }
    }

    @Test(arguments: [
        ("demo.js", "text/javascript; charset=utf-8"), ("broker.js", "text/javascript; charset=utf-8"),
        ("elements.js", "text/javascript; charset=utf-8"), ("journey.js", "text/javascript; charset=utf-8"),
        ("sources.js", "text/javascript; charset=utf-8"), ("words.js", "text/javascript; charset=utf-8"),
        ("demo.css", "text/css; charset=utf-8"), ("demo.svg", "image/svg+xml"),
    ])
    func `every part of the page is served with its type`(name: String, type: String) async throws {
        try await visiting { client in
            let asset = try await client.execute(uri: "/\(name)", method: .get)
            #expect(asset.status == .ok)
            #expect(asset.headers[.contentType] == type)
            #expect(asset.body.readableBytes > 100)
            #expect(!asset.text.contains("innerHTML"))
        }
    }

    @Test func `the catalog's addresses are the provider's`() {
        let catalog = SandboxProvider.catalog(providerURL: providerURL)
        for name in ["sandbox", "sandbox_coop", "sandbox_form", "sandbox_issuer", "sandbox_team"] {
            #expect(catalog.contains("\n  \(name):\n"))
        }
        #expect(catalog.contains("authorizationURL: \"\(providerURL)/coop/authorize\""))
        #expect(catalog.contains("cutsOpener: true"))
        #expect(!catalog.contains("\t"))
    }
}
