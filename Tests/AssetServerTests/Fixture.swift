import AssetServer
import AssetStore
import Assets
import BrokerClient
import Formats
import Foundation
import HTTPService
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import JOSE
import Logging
import OTLPTracing
import Secrets
import Testing
import Transport

/// The asset service over HTTP with a real store in a folder of its own, a broker that answers as a test says, and no
/// ingestion: a test plays that.
final class Fixture: Sendable {
    static let origin = "https://app.example.com"
    static let issuer = "https://issuer.example.com"
    static let uploadBytes = 200_000

    let broker: ScriptedBroker
    let clock = TestClock()
    let signals = SignalsKept()
    let lines = LogLinesKept()
    let keyRing = KeyRing.ephemeral()
    let store: SQLiteAssetStore
    let metrics = AssetMetrics(version: "1.2.3")
    let server: AssetServer
    let uploads: URL
    private let folder: URL
    private let key = SigningKey.makeP256()

    init(
        broker: ScriptedBroker = ScriptedBroker(),
        models: [EmbeddingModel] = [Fixture.model(price: 2)], tracer: OTLPTracer? = nil
    ) async throws {
        self.broker = broker
        folder = FileManager.default.temporaryDirectory.appending(path: "cloakroom-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        uploads = folder.appending(path: "test.db-uploads")
        store = try SQLiteAssetStore(path: folder.appending(path: "test.db").path)
        let (clock, signals, lines) = (clock, signals, lines)
        let client = BrokerClient(
            url: try #require(StrictURL("https://broker.example.com")),
            transport: metrics.measuring(broker, to: .broker, tracer: tracer),
            authorization: .signing(
                .makeP256(), keyID: nil, issuer: Self.issuer, audience: "cloakroom"), now: { clock.now })
        let jwk = "{" + key.publicJWK.map { "\"\($0.key)\":\"\($0.value)\"" }.joined(separator: ",") + "}"
        let verifier = BearerTokenVerifier(
            rules: .init(issuer: Self.issuer, audience: "cloakroom"),
            keys: .fixed(try VerificationKeys(jwks: Array("{\"keys\":[\(jwk)]}".utf8))), now: { clock.now })
        server = AssetServer(
            .init(
                catalog: Self.catalog(models), records: store, uploads: store.uploads,
                bounds: UploadBounds(fileBytes: Self.uploadBytes), broker: client, keyRing: keyRing,
                signals: IngestionSignals(
                    wake: { signals.wake() }, cancel: { signals.cancel($0.description) })),
            verifier: verifier, allowsOrigin: { $0.description == Self.origin }, metrics: metrics, tracer: tracer,
            logger: Logger(label: "test") { _ in lines.handler() }, now: { clock.now })
        try await store.recover(at: clock.now)
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    static func model(price: Double) -> EmbeddingModel {
        EmbeddingModel(
            name: .init(provider: "openai", model: "small"), dimensions: 3, description: "Small",
            pricePerMillionTokens: price)
    }

    private static func catalog(_ models: [EmbeddingModel]) -> AssetCatalog {
        AssetCatalog(
            sourceTypes: [
                SourceType(
                    name: "drive", displayName: "Drive", category: "drive",
                    properties: [SourceProperty("folderId", .string, description: "The folder")],
                    authorization: .required),
                SourceType(
                    name: "file", displayName: "File", category: "upload", properties: [], authorization: .none),
                SourceType(
                    name: "git", displayName: "Git", category: "code", properties: [], authorization: .optional),
                SourceType(
                    name: "site", displayName: "Site", category: "web",
                    properties: [
                        SourceProperty("url", .string, form: .webAddress, isRequired: true, description: "The address"),
                        SourceProperty("maxPages", .integer, default: .integer(100), description: "The most pages"),
                    ], authorization: .none),
            ],
            supportedTypes: [
                SupportedType(contentType: "text/markdown", extensions: [".md"], description: "Markdown"),
                SupportedType(contentType: "text/plain", extensions: [".txt"], description: "Plain text"),
            ], models: models, chunkSize: 512, chunkOverlap: 64)
    }

    func run<Result: Sendable>(
        _ body: @escaping @Sendable (Caller) async throws -> Result
    ) async throws -> Result {
        try await Application(responder: server.responder).test(.router) {
            try await body(Caller(client: $0, fixture: self))
        }
    }

    /// The same over a real socket, with the listener of the process.
    func runLive<Result: Sendable>(
        _ body: @escaping @Sendable (Caller) async throws -> Result
    ) async throws -> Result {
        try await Application(
            responder: server.responder, server: server.listener(ListenerBounds()),
            configuration: .init(address: .hostname("127.0.0.1", port: 0), serverName: nil)
        ).test(.live) { try await body(Caller(client: $0, fixture: self)) }
    }

    /// The value of a series on `/metrics`; `nil` where there is none.
    func value(_ series: String) -> String? {
        metrics.registry.text.split(separator: "\n").first { $0.hasPrefix(series + " ") }
            .map { String($0.dropFirst(series.count + 1)) }
    }

    // MARK: tokens

    func token(tenant: String = "acme", scope: String = "assets:read assets:write", subject: String? = "user-7")
        -> String
    {
        let now = clock.now.milliseconds / 1000
        let subject = subject.map { ",\"sub\":\"\($0)\"" } ?? ""
        let claims =
            "{\"iss\":\"\(Self.issuer)\",\"aud\":\"cloakroom\",\"exp\":\(now + 600),\"tenant\":\"\(tenant)\","
            + "\"scope\":\"\(scope)\"\(subject)}"
        let input = [#"{"alg":"ES256"}"#, claims].map { Base64URL.encode(Array($0.utf8)) }.joined(separator: ".")
        return "\(input).\(Base64URL.encode(key.sign(Array(input.utf8), with: .ES256) ?? []))"
    }
}

/// A client of one tenant's.
struct Caller: Sendable {
    let client: any TestClientProtocol
    let fixture: Fixture
    var tenant = "acme"
    var scope = "assets:read assets:write"

    /// - Parameter rest: of the path behind `/v1/tenants/{tenant}/assets`.
    func call(
        _ method: HTTPRequest.Method, _ rest: String = "", _ headers: HTTPFields = [:], body: ByteBuffer? = nil
    ) async throws -> TestResponse {
        var headers = headers
        if headers[.authorization] == nil {
            headers[.authorization] = "Bearer \(fixture.token(tenant: tenant, scope: scope))"
        }
        return try await client.execute(
            uri: "/v1/tenants/\(tenant)/assets\(rest)", method: method, headers: headers, body: body)
    }

    func get(_ rest: String = "") async throws -> TestResponse { try await call(.get, rest) }

    func send(
        _ method: HTTPRequest.Method, _ rest: String = "", _ json: String, _ headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        var headers = headers
        headers[.contentType] = "application/json"
        return try await call(method, rest, headers, body: ByteBuffer(string: json))
    }

    /// An asset of a site.
    func make(name: String = "Site") async throws -> Made {
        let answer = try await send(
            .post, "", #"{"config":{"sourceType":"site","parameters":{"url":"https://x.example/"}},"name":"\#(name)"}"#)
        return try Made(answer)
    }

    struct Made: Sendable {
        let asset: String
        let operation: String

        init(_ answer: TestResponse) throws {
            asset = try #require(answer.json["asset"]?["id"]?.string)
            operation = try #require(answer.json["operation"]?["id"]?.string)
        }
    }
}

extension TestResponse {
    var text: String { String(buffer: body) }

    var json: [String: JSONValue] {
        if case .object(let members)? = JSONValue(json: Array(body.readableBytesView)) { members } else { [:] }
    }

    var code: String? { json["code"]?.string }
}

extension JSONValue {
    subscript(name: String) -> JSONValue? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    var items: [JSONValue] { if case .array(let items) = self { items } else { [] } }
}
