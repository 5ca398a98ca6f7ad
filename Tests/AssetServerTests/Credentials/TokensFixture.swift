import AssetReaders
import AssetStore
import Assets
import BrokerClient
import Formats
import Foundation
import Logging
import Secrets
import TestSupport
import Testing
import Transport

@testable import AssetServer

/// One asset with credentials in a real store, and a broker that refreshes them as a test says.
final class TokensFixture: Sendable {
    static let now = Timestamp(milliseconds: 1_790_000_000_000)

    private struct State: Sendable {
        var answers: [Result<TransportResponse, TransportError>] = []
        var requests: [TransportRequest] = []
        var pauses: [Duration] = []
        var log = ""
    }

    private let state = Locked(State())
    private let folder: String
    /// Every refresh passes it, where there is one.
    private let gate: Gate?
    let keyRing = KeyRing.ephemeral()
    let store: SQLiteAssetStore
    let asset: Asset

    /// - Parameters:
    ///   - seconds: until the access token `access-0` ends.
    ///   - refreshToken: `nil`: none.
    init(endingIn seconds: Int64? = 0, refreshToken: String? = "refresh-0", gate: Gate? = nil) async throws {
        folder = NSTemporaryDirectory() + "asset-tokens-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = try SQLiteAssetStore(path: folder + "/assets.db")
        self.gate = gate
        let tenant = try #require(TenantID("acme"))
        asset = Self.asset(of: tenant)
        let credentials = AssetCredentials(
            accessToken: AccessToken("access-0"), refreshToken: refreshToken.map { RefreshToken($0) },
            expiresAt: seconds.map { Self.now.adding(seconds: $0) })
        try await keep(asset, credentials.sealed(by: keyRing, of: asset.id, tenant))
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static func asset(of tenant: TenantID, hasCredentials: Bool = true) -> Asset {
        Asset(
            id: AssetID(UUID()), tenant: tenant, displayName: "Drive",
            source: .init(type: "google_drive", parameters: [:], hasCredentials: hasCredentials),
            embedding: EmbeddingSettings(model: nil, chunkSize: 512, chunkOverlap: 64), createdAt: now, modifiedAt: now,
            createdBy: "ada")
    }

    func keep(_ asset: Asset, _ credentials: Sealed<AssetCredentials>) async throws {
        let operation = AssetOperation(
            id: OperationID(UUID()), asset: asset.id, tenant: asset.tenant, kind: .create, createdAt: Self.now,
            updatedAt: Self.now, model: nil, createdBy: "ada")
        try await store.create(
            NewAsset(asset: asset, operation: operation, credentials: credentials), idempotency: nil)
    }

    /// Connects the asset again, as PATCH does.
    func connectAgain(_ accessToken: String, refreshToken: String? = nil) async throws {
        let credentials = AssetCredentials(
            accessToken: AccessToken(accessToken), refreshToken: refreshToken.map { RefreshToken($0) }, expiresAt: nil)
        _ = try await store.change(
            asset.id, of: asset.tenant, displayName: nil,
            credentials: credentials.sealed(by: keyRing, of: asset.id, asset.tenant), at: Self.now)
    }

    /// The refresh token in the store.
    var storedRefreshToken: String? {
        get async throws {
            let sealed = try #require(try await store.credentials(of: asset.id))
            return try AssetCredentials(sealed, by: keyRing, of: asset.id, asset.tenant).refreshToken?.expose { $0 }
        }
    }

    // MARK: the broker

    /// The first answers, in order; after them every refresh works.
    func script(_ answers: [Result<TransportResponse, TransportError>]) { state.withLock { $0.answers += answers } }

    func script(_ status: Int, _ code: String, _ headers: [(name: String, value: String)] = []) {
        script([
            .success(TransportResponse(status: status, headers: headers, body: Array(#"{"code":"\#(code)"}"#.utf8)))
        ])
    }

    var requests: [TransportRequest] { state.withLock { $0.requests } }
    var pauses: [Duration] { state.withLock { $0.pauses } }
    var log: String { state.withLock { $0.log } }

    /// The refresh tokens that were sent.
    var refreshes: [String] {
        get throws {
            try requests.map { try StrictJSON.object($0.body ?? [])["refreshToken"]?.string ?? "" }
        }
    }

    private struct Broker: HTTPTransport {
        let fixture: TokensFixture

        func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
            try await fixture.answer(request)
        }
    }

    private func answer(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
        let (number, answer) = state.withLock { state in
            state.requests.append(request)
            return (state.requests.count, state.answers.isEmpty ? nil : state.answers.removeFirst())
        }
        await gate?.pass()
        if let answer { return try answer.get() }
        let body = """
            {"accessToken":"access-\(number)","refreshToken":"refresh-\(number)","tokenType":"Bearer",
             "expiresAt":\(Self.now.milliseconds + 3_600_000),"scope":null,"sourceType":"google_drive","idToken":null,
             "extras":{},"warnings":[]}
            """
        return TransportResponse(status: 200, body: Array(body.utf8))
    }

    // MARK: the tokens

    /// - Parameter attempts: of `sources.retry`.
    func tokens(attempts: Int = 3, keyRing: KeyRing? = nil) throws -> AssetTokens {
        let broker = BrokerClient(
            url: try #require(StrictURL("https://broker.example.com")), transport: Broker(fixture: self),
            authorization: .signing(.makeP256(), keyID: "1", issuer: "i", audience: "a"), now: { Self.now })
        return AssetTokens(
            store: store, keyRing: keyRing ?? self.keyRing, broker: broker,
            retry: RetryPolicy(attempts: attempts, base: .seconds(1), longest: .seconds(60)),
            logger: Logger(label: "test") { _ in Log(fixture: self) },
            pause: { pause in self.state.withLock { $0.pauses.append(pause) } }, random: { 0 })
    }

    private struct Log: LogHandler {
        let fixture: TokensFixture
        var logLevel: Logger.Level = .trace
        var metadata: Logger.Metadata = [:]

        init(fixture: TokensFixture) { self.fixture = fixture }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            fixture.state.withLock { $0.log += "\(event.level) \(event.message) \(event.metadata ?? [:])\n" }
        }
    }
}

extension AccessTokenSource {
    var text: String {
        get async throws(SourceFault) { try await token().expose { $0 } }
    }

    func text(inPlaceOf refused: String) async throws(SourceFault) -> String {
        try await token(inPlaceOf: AccessToken(refused)).expose { $0 }
    }

    /// The fault that asking comes to.
    var fault: SourceFault? {
        get async {
            do throws(SourceFault) {
                _ = try await token()
                return nil
            } catch {
                return error
            }
        }
    }
}
