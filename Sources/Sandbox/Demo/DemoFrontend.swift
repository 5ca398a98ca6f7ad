import HTTPTypes
public import Hummingbird

/// A tenant's frontend as small as one can be: a page of sources to connect, through the broker's `connect.js`.
///
/// It shows every step of a connection, tokens included, which a real frontend would leave to its server.
public struct DemoFrontend: Sendable {
    let baseURL: String
    let brokerURL: String
    let providerURL: String
    let assetsURL: String?
    let tenant: String
    let token: @Sendable () async throws -> String

    /// - Parameters:
    ///   - baseURL: This frontend's address; its origin is the one that the broker must allow.
    ///   - brokerURL: The broker's address, without a slash at the end.
    ///   - providerURL: The sandbox provider's address, to try access tokens.
    ///   - assetsURL: The asset service's address, which is given the tickets of what it reads; `nil`: there is none.
    ///   - tenant: The tenant that visitors act for.
    ///   - token: Makes a JWT for the tenant, with the scope `assets:write`.
    public init(
        baseURL: String, brokerURL: String, providerURL: String, assetsURL: String? = nil, tenant: String,
        token: @escaping @Sendable () async throws -> String
    ) {
        self.baseURL = baseURL
        self.brokerURL = brokerURL
        self.providerURL = providerURL
        self.assetsURL = assetsURL
        self.tenant = tenant
        self.token = token
    }

    /// The frontend's routes: its page at `/` and `/connected`, scripts and styles, and `/session`, which gives out a
    /// token.
    public func router() -> Router<BasicRequestContext> {
        let router = Router()
        let page = DemoPage(frontend: self)
        // `/connected` is where a full-page redirect comes back to. The script reads what the address brings.
        for path: RouterPath in ["/", "/connected"] {
            router.get(path) { _, _ in Response.page(page.html, policy: page.policy) }
        }
        for asset in Self.assets {
            router.get(RouterPath("/" + asset.name)) { _, _ in Response.asset(asset.bytes, type: asset.type) }
        }
        router.get("/session") { request, _ in try await self.session(request) }
        return router
    }

    /// Gives the page its JWT, as a login would. Only to the page itself, as far as the browser tells.
    private func session(_ request: Request) async throws -> Response {
        guard let site = request.headers[.secFetchSite], site != "same-origin" else {
            return try .json(["token": try await token()])
        }
        return try .json(["error": "this is for the demo's own page"], status: .forbidden)
    }

    private struct Asset: Sendable {
        let name: String
        let type: String
        let bytes: [UInt8]
    }

    private static let assets: [Asset] = {
        let script = "text/javascript; charset=utf-8"
        return [
            Asset(name: "demo.css", type: "text/css; charset=utf-8", bytes: PackageResources.demo_css),
            Asset(name: "demo.svg", type: "image/svg+xml", bytes: PackageResources.demo_svg),
            Asset(name: "demo.js", type: script, bytes: PackageResources.demo_js),
            Asset(name: "assets.js", type: script, bytes: PackageResources.assets_js),
            Asset(name: "broker.js", type: script, bytes: PackageResources.broker_js),
            Asset(name: "elements.js", type: script, bytes: PackageResources.elements_js),
            Asset(name: "ingestion.js", type: script, bytes: PackageResources.ingestion_js),
            Asset(name: "journey.js", type: script, bytes: PackageResources.journey_js),
            Asset(name: "steps.js", type: script, bytes: PackageResources.steps_js),
            Asset(name: "sources.js", type: script, bytes: PackageResources.sources_js),
            Asset(name: "words.js", type: script, bytes: PackageResources.words_js),
        ]
    }()
}
