import Hummingbird
import Testing

@testable import HTTPService

@Suite struct RouteTableTests {
    private static let templates = [
        "/healthz", "/oauth/callback", "/oauth/callback/{name}", "/oauth/callback/{name}/{handle}", "/oauth/success",
        "/v1/tenants/{tenant}/assets:authorize", "/v1/tenants/{tenant}/assets:oauthFlow", "/v1/admin/revocations",
        "/v1/admin/tenants/{tenant}/clients/{sourceType}", "/v1/tenants/{tenant}/assets",
        "/v1/tenants/{tenant}/assets/kinds", "/v1/tenants/{tenant}/assets/{asset}",
        "/v1/tenants/{tenant}/assets/{asset}:refresh", "/v1/tenants/{tenant}/assets/{asset}/runs/{run}:cancel",
        "/v1/tenants/{tenant}/assets/{asset}/runs/{run}",
    ]

    private static func table(base: String = "") -> RouteTable {
        RouteTable(
            base: base,
            routes: templates.map {
                Route(
                    template: $0, handlers: [.get: { _, _ in Response(status: .ok) }],
                    ignoresSpareSlashes: $0.hasPrefix("/oauth/callback"))
            })
    }

    @Test(arguments: [
        ("/healthz", "/healthz", [:]),
        ("/oauth/callback", "/oauth/callback", [:]),
        ("/oauth/callback/google", "/oauth/callback/{name}", ["name": "google"]),
        ("/oauth/callback/google/AbC", "/oauth/callback/{name}/{handle}", ["name": "google", "handle": "AbC"]),
        ("/v1/tenants/acme/assets:authorize", "/v1/tenants/{tenant}/assets:authorize", ["tenant": "acme"]),
        ("/v1/tenants/a%20b/assets:oauthFlow", "/v1/tenants/{tenant}/assets:oauthFlow", ["tenant": "a%20b"]),
        ("/v1/tenants//assets:authorize", "/v1/tenants/{tenant}/assets:authorize", ["tenant": ""]),
        (
            "/v1/admin/tenants/acme/clients/example", "/v1/admin/tenants/{tenant}/clients/{sourceType}",
            ["tenant": "acme", "sourceType": "example"]
        ),
        ("/v1/tenants/acme/assets/kinds", "/v1/tenants/{tenant}/assets/kinds", ["tenant": "acme"]),
        ("/v1/tenants/acme/assets/a", "/v1/tenants/{tenant}/assets/{asset}", ["tenant": "acme", "asset": "a"]),
        (
            "/v1/tenants/acme/assets/a:refresh", "/v1/tenants/{tenant}/assets/{asset}:refresh",
            ["tenant": "acme", "asset": "a"]
        ),
        (
            "/v1/tenants/acme/assets/a%3arefresh", "/v1/tenants/{tenant}/assets/{asset}:refresh",
            ["tenant": "acme", "asset": "a"]
        ),
        (
            "/v1/tenants/acme/assets/:refresh", "/v1/tenants/{tenant}/assets/{asset}",
            ["tenant": "acme", "asset": ":refresh"]
        ),
        (
            "/v1/tenants/acme/assets/a:cancel", "/v1/tenants/{tenant}/assets/{asset}",
            ["tenant": "acme", "asset": "a:cancel"]
        ),
        (
            "/v1/tenants/acme/assets/a/runs/b", "/v1/tenants/{tenant}/assets/{asset}/runs/{run}",
            ["tenant": "acme", "asset": "a", "run": "b"]
        ),
        (
            "/v1/tenants/acme/assets/a/runs/b:cancel", "/v1/tenants/{tenant}/assets/{asset}/runs/{run}:cancel",
            ["tenant": "acme", "asset": "a", "run": "b"]
        ),
    ])
    func `a path leads to its route, and says its variable parts as they came`(
        _ path: String, _ template: String, _ parameters: [String: String]
    ) throws {
        let found = try #require(Self.table().find(path))
        #expect(found.route.template == template)
        for name in ["name", "handle", "tenant", "sourceType", "asset", "run"] {
            #expect(found.parameters[name].map(String.init) == parameters[name])
        }
    }

    @Test(arguments: [
        "", "/", "healthz", "*", "/health", "/healthzz", "/healthz/", "//healthz", "/HEALTHZ", "/healthz%00", "/oauth",
        "/oauth/", "/oauth/success/", "/oauth/callback/a/b/c", "/v1/tenants/acme", "/v1/tenants/acme/",
        "/v1/tenants/acme/assets:authorize/", "/v1/tenants/acme/assets:authoriz", "/v1/tenants/acme/x/assets:authorize",
        "/v1/tenants/assets:authorize", "/v1/admin/tenants/acme/clients", "/v1/admin/tenants/acme/customers/example",
        "/v1/tenants/acme/assets/a:refresh/runs", "/v1/tenants/acme/assets/kinds/runs/b",
    ])
    func `a path is itself and nothing like it`(_ path: String) {
        #expect(Self.table().find(path) == nil)
    }

    @Test(arguments: ["", "/google", "/google/AbC"])
    func `slashes too many in a redirect address mean the same`(_ end: String) throws {
        for base in ["", "/broker"] {
            let table = Self.table(base: base)
            let plain = try #require(table.find("\(base)/oauth/callback\(end)"))
            let whole = "\(base)/oauth/callback\(end)"
            for path in ["\(whole)/", "\(whole)///", "/\(whole)", whole.split(separator: "/").joined(separator: "//")] {
                let slashed = try #require(table.find(path.hasPrefix("/") ? path : "/\(path)"))
                #expect(slashed.route === plain.route)
                #expect(slashed.parameters["name"] == plain.parameters["name"])
                #expect(slashed.parameters["handle"] == plain.parameters["handle"])
            }
        }
    }

    /// RFC 3986 § 2.2.
    @Test(arguments: ["%3A", "%3a"])
    func `an encoded colon means the same`(_ colon: String) throws {
        let found = try #require(Self.table().find("/v1/tenants/acme/assets\(colon)authorize"))
        #expect(found.route.template == "/v1/tenants/{tenant}/assets:authorize")
        #expect(Self.table().find("/v1/tenants/acme/assets%3") == nil)
        #expect(Self.table().find("/v1/tenants/acme/assets%3Bauthorize") == nil)
    }

    /// A proxy may pass the path of the public address on, or strip it.
    @Test func `the public address's own path may stand before it`() throws {
        let table = Self.table(base: "/broker")
        for path in ["/healthz", "/broker/healthz"] {
            #expect(table.find(path)?.route.template == "/healthz")
        }
        #expect(table.find("/broker/oauth/callback/google")?.parameters["name"] == "google")
        for path in ["/broker", "/broker/", "/brokerhealthz", "/broke/healthz", "/broker/broker/healthz"] {
            #expect(table.find(path) == nil)
        }
    }

    @Test func `HEAD is answered by GET's handler where it has none, and no other method by another's`() {
        let answer: Handler = { _, _ in Response(status: .ok) }
        let route = Route(template: "/", handlers: [.get: answer, .put: answer])
        #expect(route.methods.map(\.rawValue) == ["GET", "HEAD", "OPTIONS", "PUT"])
        #expect(route.handler(for: .head) != nil)
        #expect(route.handler(for: .put) != nil)
        for method in [HTTPRequest.Method.post, .options, .delete] { #expect(route.handler(for: method) == nil) }
        #expect(Route(template: "/", handlers: [.post: answer]).handler(for: .head) == nil)
    }
}
