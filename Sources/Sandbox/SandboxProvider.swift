public import Hummingbird

/// A small OAuth 2.0 provider that can be told to behave badly.
///
/// It has login and consent pages, a switch for each ``Behaviour``, and everything in memory. It shares no code with
/// the broker, so that neither can hide a bug of the other. Its accounts have no passwords and its consent can be
/// scripted away: it protects nothing and belongs on a loopback address.
public struct SandboxProvider: Sendable {
    /// An application that the provider knows.
    public struct Client: Sendable {
        /// The `client_id` (RFC 6749 § 2.2). Of two clients with one id, the later counts.
        public let id: String
        /// `nil` for a public client, which then has to use PKCE.
        public let secret: String?
        /// The addresses that codes may be sent to, compared as whole texts (RFC 9700 § 2.1).
        public let redirectURIs: [String]
        /// The application's name on the pages; by default its id.
        public let name: String

        /// Checks nothing: a `secret` of `nil` makes the client a public one.
        public init(id: String, secret: String?, redirectURIs: [String], name: String? = nil) {
            self.id = id
            self.secret = secret
            self.redirectURIs = redirectURIs
            self.name = name ?? id
        }
    }

    /// The time that the slow behaviours wait before the token endpoint answers, and that a file takes.
    public struct Delays: Sendable {
        /// For ``Behaviour/slow``; a broker should wait for it.
        public let slow: Duration
        /// For ``Behaviour/verySlow``, which also wins where both are on; a broker should give up before.
        public let verySlow: Duration

        /// For each file of the drive, so that people see the progress of who reads it.
        public let download: Duration

        /// Delays for people; a test takes shorter ones.
        public init(
            slow: Duration = .seconds(3), verySlow: Duration = .seconds(20), download: Duration = .milliseconds(400)
        ) {
            self.slow = slow
            self.verySlow = verySlow
            self.download = download
        }
    }

    private let configured: [String: Client]
    let registrations = Registrations()
    let baseURL: String
    let delays: Delays
    let grants: Grants
    let sessions = Sessions()

    /// - Parameters:
    ///   - clients: The applications that may ask.
    ///   - baseURL: The provider's address, without a slash at the end. It is the issuer too.
    ///   - delays: The time that the slow behaviours wait.
    ///   - now: The clock that codes and tokens expire by.
    public init(
        clients: [Client], baseURL: String, delays: Delays = Delays(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        configured = Dictionary(clients.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        self.baseURL = baseURL
        self.delays = delays
        self.grants = Grants(now: now)
    }

    /// The applications that may ask now, those that registered themselves included.
    var clients: [String: Client] {
        get async { await registrations.clients.merging(configured) { $1 } }
    }

    /// The provider's routes. Grants and sessions live as long as this value, however many routers are made of it.
    public func router() -> Router<BasicRequestContext> {
        let router = Router()
        addPages(to: router)
        addAuthorization(to: router)
        addTokens(to: router)
        addAccount(to: router)
        addDrive(to: router)
        addRegistration(to: router)
        addMCPServer(to: router)
        return router
    }

    private func addPages(to router: Router<BasicRequestContext>) {
        router.get("/") { _, _ in
            Response.page(WelcomePage(provider: self).html, policy: .providerPage)
        }
        router.get("/provider.css") { _, _ in
            Response.asset(PackageResources.provider_css, type: "text/css; charset=utf-8")
        }
        router.get("/provider.svg") { _, _ in
            Response.asset(PackageResources.provider_svg, type: "image/svg+xml")
        }
        router.get("/.well-known/oauth-authorization-server") { _, _ in
            try Response.json(ProviderMetadata(baseURL: self.baseURL))
        }
    }
}

extension ContentPolicy {
    static let providerPage = ContentPolicy("style-src 'self'", "img-src 'self'", "form-action 'self'")

    /// No `form-action`: Chromium checks it against every redirect that follows a form, and the one after consent
    /// leads to the client and from there to wherever the client sends the visitor.
    static let consentPage = ContentPolicy("style-src 'self'", "img-src 'self'")
}
