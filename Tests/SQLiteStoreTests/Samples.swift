import Broker
import Catalog
import Formats
import SQLiteStore
import Secrets
import Testing

/// Flows and credential keys of no one.
enum Samples {
    /// 2026-09-21T13:46:40Z
    static let now = Timestamp(milliseconds: 1_790_000_000_000)

    static let redirect = RedirectPath(received: "example")

    static let day: Int64 = 86_400

    static func tenant(_ name: String = "acme") throws -> TenantID { try #require(TenantID(name)) }

    static func keys(_ count: Int) -> [CredentialKey] { (0..<count).map { _ in .random() } }

    static func challenge(_ verifier: String) -> ProofKeyChallenge { ProofKeyChallenge(of: ExchangeVerifier(verifier)) }

    static func flow(
        id: FlowID = FlowID(of: State.random()), tenant: String = "acme", parameters: [String: String] = [:],
        scopes: [String] = [],
        returnURL: ReturnURL? = nil, challenge: ProofKeyChallenge? = nil,
        expiresAt: Timestamp = now.adding(seconds: 600)
    ) throws -> Flow {
        Flow(
            id: id, tenant: try Samples.tenant(tenant), sourceType: try #require(SourceType.ID("example")),
            parameters: parameters,
            scopes: scopes, frontendOrigin: try #require(Origin("https://app.example.com")), returnURL: returnURL,
            exchangeChallenge: challenge, redirect: redirect, clientID: "client",
            key: try #require(KeyRing.KeyID("k1")), startedAt: now, expiresAt: expiresAt)
    }

    /// A credential key as a store sees it: any bytes.
    static func stored(
        _ key: CredentialKey, sealedKey: [UInt8]? = nil, credentials: [UInt8] = Array("sealed credentials".utf8),
        expiresAt: Timestamp = now.adding(seconds: 300)
    ) -> StoredCredentialKey {
        StoredCredentialKey(
            keyDigest: key.digest, credentials: Sealed(stored: credentials), key: sealedKey.map { Sealed(stored: $0) },
            createdAt: now, expiresAt: expiresAt)
    }
}

extension SQLiteStore {
    init(path: String) throws {
        try self.init(path: path, keyRing: KeyRing(Installation.firstKey))
    }
}

/// The steps of a flow for tests that do not look at events.
extension BrokerStore {
    @discardableResult
    func start(_ flow: Flow) async throws(StoreError) -> FlowAdmission {
        try await start(flow, recording: Event(.flowStarted, at: Samples.now, flow.placement))
    }

    func claim(_ id: FlowID, isBound: Bool, at now: Timestamp) async throws(StoreError) -> Flow? {
        try await claim(id, at: Samples.redirect, isBound: isBound, now: now)
    }

    func succeed(_ id: FlowID, with stored: StoredCredentialKey) async throws(StoreError) -> Bool {
        try await succeed(id, with: stored, recording: Event(.flowSucceeded, at: Samples.now, flow: id))
    }

    func fail(_ id: FlowID, error: String, description: String?) async throws(StoreError) {
        try await fail(
            id, error: error, description: description,
            recording: Event(.flowFailed, at: Samples.now, flow: id, code: error))
    }

    func sweep(at now: Timestamp, limit: Int) async throws(StoreError) -> Bool {
        try await sweep(at: now, eventsSince: Timestamp(milliseconds: 0), limit: limit).isUnfinished
    }

    /// A flow that waits for its key to be redeemed.
    @discardableResult
    func keep(
        _ flow: Flow, _ key: CredentialKey, isBound: Bool = false, sealedKey: [UInt8]? = nil,
        credentials: [UInt8] = Array("sealed credentials".utf8), expiresAt: Timestamp = Samples.now.adding(seconds: 300)
    ) async throws -> Flow {
        try await start(flow)
        _ = try #require(try await claim(flow.id, isBound: isBound, at: Samples.now))
        let stored = Samples.stored(key, sealedKey: sealedKey, credentials: credentials, expiresAt: expiresAt)
        try #require(try await succeed(flow.id, with: stored))
        return flow
    }

    /// Many flows that wait for their keys to be redeemed.
    func fill(_ keys: [CredentialKey]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, key) in keys.enumerated() {
                // Fewer at once than the store lets wait.
                if number >= 1000 { _ = try await group.next() }
                group.addTask { _ = try await keep(try Samples.flow(), key) }
            }
            try await group.waitForAll()
        }
    }

    func redeem(
        _ key: CredentialKey, tenant: String = "acme", challenge: ProofKeyChallenge? = nil,
        at now: Timestamp = Samples.now
    ) async throws -> Redemption.Outcome {
        let redemption = Redemption(
            keyDigest: key.digest, tenant: try Samples.tenant(tenant), challenge: challenge, now: now)
        return try await redeem(redemption)
    }

    /// Samples' credential keys are sealed by nobody: each opens as it is.
    func redeem(_ redemption: Redemption) async throws(StoreError) -> Redemption.Outcome {
        try await redeem(redemption) { sealed, _ throws(OpenError) in SecretBytes(sealed.bytes) }
    }
}

extension Redemption.Outcome {
    var name: String {
        switch self {
        case .redeemed: "redeemed"
        case .unreadable: "unreadable"
        case .reused: "reused"
        case .refused: "refused"
        }
    }
}
