import Broker
import BrokerServer
import Catalog
import Formats
import Foundation
import HTTPService
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import JOSE
import Logging
import SQLiteStore
import Secrets
import StrictYAML
import TestSupport
import Testing

/// A broker with a real store in a folder of its own, a provider that answers as a test says, and a clock that a
/// test moves.
final class Fixture: Sendable {
    static let origin = "https://app.example.com"
    static let issuer = "https://issuer.example.com"

    let provider: ScriptedProvider
    let clock = TestClock()
    /// The clock of limits and ages, and of what is kept a while.
    let steadyClock: SteadyClock
    /// The transport to the provider, in which requests wait for their turn.
    let calls: FairTransport
    let lines = LogLinesKept()
    let incidents = IncidentsKept()
    let figures: BrokerMetrics
    private let folder: URL
    private let store: SQLiteStore
    private let server: BrokerServer
    private let signer = TokenSigner()
    private let stranger = TokenSigner()

    init(
        catalog: String = Fixture.catalog, origins: [String] = [Fixture.origin, "https://other.example.com"],
        tenants: [String: Frontend] = [:], returnURLs: [String] = [],
        clients: [String: Client] = ["example": Client(id: "client id", secret: ClientSecret("client:secret"))],
        publicURL: String = "https://broker.example.com", provider: ScriptedProvider = ScriptedProvider(),
        limits: Limits = Limits(), bounds: FlowBounds = FlowBounds(), proxies: TrustedProxies = TrustedProxies(),
        rules: BearerTokenVerifier.Rules? = nil, callerKeys: KeySource? = nil,
        shares: ProviderShares = ProviderShares(), servers: [String] = [], steadyClock: SteadyClock = SteadyClock(),
        patience: @escaping @Sendable (ContinuousClock.Instant) async throws -> Void = {
            try await Task.sleep(until: $0, clock: .continuous)
        }
    ) async throws {
        self.provider = provider
        self.steadyClock = steadyClock
        folder = FileManager.default.temporaryDirectory.appending(path: "cloakroom-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let keyRing = try KeyRing(KeyRing.newLine(id: try #require(KeyRing.KeyID("k1"))))
        store = try SQLiteStore(
            path: folder.appending(path: "test.db").path, keyRing: keyRing, bounds: bounds)
        let findings = Findings()
        let catalog = Catalog(own: [("test.yaml", catalog)], allowInsecure: false, findings: findings)
        try #require(findings.lines == [])
        let figures = BrokerMetrics(
            sourceTypes: catalog.sourceTypes.map(\.id), ready: [try #require(SourceType.ID("example"))], version: "test"
        )
        self.figures = figures
        let clock = clock
        let frontends = Frontends(
            general: Frontend(
                origins: origins.compactMap { OriginPattern($0) }, returnURLs: returnURLs.compactMap { ReturnURL($0) }),
            tenants: Dictionary(
                uniqueKeysWithValues: try tenants.map { (try #require(TenantID($0.key)), $0.value) }))
        calls = FairTransport(figures.measuring(provider), shares: shares, sleep: patience)
        var settings = Broker.Settings(publicURL: try #require(StrictURL(publicURL)), frontends: frontends)
        settings.resources = ResourceServers(servers.compactMap { HostPattern($0) })
        let broker = Broker(
            settings: settings,
            catalog: catalog, clients: clients, keyRing: keyRing, store: store, transport: calls, now: { clock.now },
            report: figures.count, steadyNow: { steadyClock.now })

        let verifier = BearerTokenVerifier(
            rules: rules ?? .init(issuer: Self.issuer, audience: "cloakroom"),
            keys: try callerKeys ?? .fixed(VerificationKeys(jwks: Array("{\"keys\":[\(signer.jwk)]}".utf8))),
            factory: figures.registry,
            now: { clock.now }, steady: { steadyClock.now }, tell: { [incidents] in incidents.keep(Incident($0)) })
        let lines = lines
        let logger = Logger(label: "test") { _ in lines.handler() }
        server = try BrokerServer(
            broker: broker, verifier: verifier, limits: limits, proxies: proxies, metrics: figures, logger: logger,
            now: { steadyClock.now }
        )
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    func run<Result: Sendable>(
        _ framework: TestingSetup = .router,
        _ body: @escaping @Sendable (any TestClientProtocol) async throws -> Result
    ) async throws -> Result {
        try await Application(responder: server.responder).test(framework) { try await body($0) }
    }

    // MARK: tokens

    func token(
        tenant: JSONValue = .string("acme"), scope: JSONValue = .string("assets:write"),
        changing changes: [String: JSONValue] = [:], byStranger: Bool = false
    ) async throws -> String {
        let now = Double(clock.now.milliseconds / 1000)
        var claims: [String: JSONValue] = [
            "iss": .string(Self.issuer), "aud": .string("cloakroom"), "exp": .number(now + 600), "tenant": tenant,
            "scope": scope,
        ]
        for (name, value) in changes { claims[name] = value == .null ? nil : value }
        let json = String(decoding: try JSONValue.object(claims).encoded(), as: UTF8.self)
        return (byStranger ? stranger : signer).token(header: signer.header, claims: json)
    }

    // MARK: calls

    func authorize(
        _ client: some TestClientProtocol, _ body: [String: JSONValue] = [:], tenant: String = "acme"
    ) async throws -> Started {
        var members = body
        if members["sourceType"] == nil { members["sourceType"] = .string("example") }
        let token = try await token(tenant: .string(tenant))
        let answer = try await client.post("/v1/tenants/\(tenant)/assets:authorize", members, token: token)
        try #require(answer.status == .ok)
        let url = try #require(answer.json["authorizationUrl"]?.string)
        return Started(url: url, flow: try #require(answer.json["flow"]?.string))
    }

    /// A flow up to its redirect, and the fragment of that.
    func connect(
        _ client: some TestClientProtocol, _ body: [String: JSONValue] = [:], cookie: String? = nil
    ) async throws -> [String: String] {
        let started = try await authorize(client, body)
        var headers: HTTPFields = [:]
        if let cookie { headers[.cookie] = cookie }
        let answer = try await client.get("\(started.callback)?code=c0de&state=\(started.state)", headers)
        try #require(answer.status == .found)
        return answer.fragment
    }

    static let catalog = """
        sourceTypes:
          file: { displayName: File upload, category: upload }
          example:
            displayName: Example
            category: wiki
            oauth:
              authorizationURL: https://example.com/authorize
              tokenURL: https://example.com/token
              scopes: [read, write]
          example_issuer:
            displayName: Example with issuer
            category: wiki
            provider: example
            oauth:
              authorizationURL: https://example.com/authorize
              tokenURL: https://example.com/token
              issuer: https://example.com
              requireIssuer: true
          example_host:
            displayName: Example with parameter
            category: wiki
            provider: example
            oauth:
              authorizationURL: "https://{subdomain}.example.com/authorize"
              tokenURL: "https://{subdomain}.example.com/token"
              clientPerInstance: false
              parameters:
                subdomain: { pattern: "^[a-z]{1,9}$", description: "before .example.com", required: true }
          unconfigured:
            displayName: Without a client
            category: wiki
            oauth:
              authorizationURL: https://example.org/authorize
              tokenURL: https://example.org/token
        """
}

/// The answer of `assets:authorize`.
struct Started: Sendable {
    let url: String
    let flow: String

    var query: [String: String] {
        let items = URLComponents(string: url)?.queryItems ?? []
        return Dictionary(items.map { ($0.name, $0.value ?? "") }) { first, _ in first }
    }

    var state: String { query["state"] ?? "" }

    /// The path of its redirect address.
    var callback: String { query["redirect_uri"].flatMap { URLComponents(string: $0)?.path } ?? "" }
}

extension TestClientProtocol {
    func get(_ uri: String, _ headers: HTTPFields = [:], token: String? = nil) async throws -> TestResponse {
        var headers = headers
        if let token { headers[.authorization] = "Bearer \(token)" }
        return try await execute(uri: uri, method: .get, headers: headers, body: nil)
    }

    func post(
        _ uri: String, _ members: [String: JSONValue], _ headers: HTTPFields = [:], token: String? = nil
    ) async throws -> TestResponse {
        var headers = headers
        headers[.contentType] = "application/json"
        if let token { headers[.authorization] = "Bearer \(token)" }
        let body = ByteBuffer(bytes: try JSONValue.object(members).encoded())
        return try await execute(uri: uri, method: .post, headers: headers, body: body)
    }
}

extension TestResponse {
    var text: String { String(buffer: body) }

    var json: [String: JSONValue] {
        if case .object(let members)? = JSONValue(json: Array(body.readableBytesView)) { members } else { [:] }
    }

    var code: String? { json["code"]?.string }

    var fragment: [String: String] {
        let location = headers[.location] ?? ""
        let pairs = location.split(separator: "#", maxSplits: 1).dropFirst().first.map { Percent.pairs($0) ?? [] }
        return Dictionary((pairs ?? []).map { ($0.name, $0.value) }) { first, _ in first }
    }
}
