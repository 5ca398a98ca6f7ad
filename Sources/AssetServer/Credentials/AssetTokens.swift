public import Assets
public import BrokerClient
import Formats
public import Secrets

/// The access tokens of one asset's source while one operation reads it: refreshed at the broker, and kept before they
/// are used.
///
/// One operation of an asset runs at a time, so that one of these is all that refreshes its grant. Where somebody
/// connects the asset again meanwhile, the new credentials are used from then on.
public actor AssetTokens: AccessTokenSource {
    private typealias Fresh = FreshCredentials<AssetStoreError>

    private let asset: Asset
    private let store: any IngestionStore
    private let keyRing: KeyRing
    private let broker: BrokerClient
    private let retry: RetryPause
    private var current: Fresh?

    /// - Parameter retry: where the broker gives no tokens for a reason that may pass.
    public init(
        of asset: Asset, in store: any IngestionStore, keyRing: KeyRing, broker: BrokerClient, retry: RetryPause
    ) {
        self.asset = asset
        self.store = store
        self.keyRing = keyRing
        self.broker = broker
        self.retry = retry
    }

    public func token() async throws(SourceFault) -> AccessToken {
        try await use { fresh throws(Fresh.Fault) in try await fresh.accessToken() }
    }

    public func token(inPlaceOf refused: AccessToken) async throws(SourceFault) -> AccessToken {
        try await use { fresh throws(Fresh.Fault) in try await fresh.accessToken(inPlaceOf: refused) }
    }

    private func use(
        _ call: (Fresh) async throws(Fresh.Fault) -> AccessToken
    ) async throws(SourceFault) -> AccessToken {
        let fresh = try await opened()
        do {
            return try await call(fresh)
        } catch .superseded {
            if current === fresh { current = nil }
            let newer = try await opened()
            do { return try await call(newer) } catch { throw SourceFault(error) }
        } catch {
            throw SourceFault(error)
        }
    }

    /// The credentials as they were opened first, or after somebody connected again.
    private func opened() async throws(SourceFault) -> Fresh {
        if let current { return current }
        let sealed = try await sealed()
        // Somebody else opened them while the store was read.
        if let current { return current }
        let credentials: AssetCredentials
        do {
            credentials = try AssetCredentials(sealed, by: keyRing, of: asset.id, asset.tenant)
        } catch {
            // The master key is gone, or another's row was put here: only new credentials help.
            throw .reauthorizationRequired
        }
        let fresh = fresh(credentials, sealed)
        current = fresh
        return fresh
    }

    private func sealed() async throws(SourceFault) -> Sealed<AssetCredentials> {
        let found: Sealed<AssetCredentials>?
        do throws(AssetStoreError) {
            found = try await store.credentials(of: asset.id)
        } catch {
            throw .brokerUnreachable("the credentials cannot be read from the store")
        }
        guard let found else { throw .reauthorizationRequired }
        return found
    }

    private func fresh(_ credentials: AssetCredentials, _ sealed: Sealed<AssetCredentials>) -> Fresh {
        let kept = KeptCredentials(sealed, of: asset, in: store, keyRing: keyRing)
        let retry = retry
        return Fresh(
            GrantedTokens(
                accessToken: credentials.accessToken, refreshToken: credentials.refreshToken,
                expiresAt: credentials.expiresAt),
            of: asset.source.type, for: asset.tenant, at: broker,
            tryAgain: { error, attempt in
                let pause = retry.pause(after: attempt, asked: error.retryAfter, jitter: Double.random(in: 0...1))
                guard let pause else { return false }
                return (try? await Task.sleep(for: pause)) != nil
            },
            commit: { tokens throws(AssetStoreError) in try await kept.replace(by: tokens) })
    }
}

/// The credentials of an asset as the store has them, as far as one `FreshCredentials` knows.
private actor KeptCredentials {
    private var sealed: Sealed<AssetCredentials>
    private let asset: Asset
    private let store: any IngestionStore
    private let keyRing: KeyRing

    init(_ sealed: Sealed<AssetCredentials>, of asset: Asset, in store: any IngestionStore, keyRing: KeyRing) {
        self.sealed = sealed
        self.asset = asset
        self.store = store
        self.keyRing = keyRing
    }

    /// Never called twice at a time.
    func replace(by tokens: GrantedTokens) async throws(AssetStoreError) -> Commitment {
        let new = AssetCredentials(
            accessToken: tokens.accessToken, refreshToken: tokens.refreshToken, expiresAt: tokens.expiresAt
        ).sealed(by: keyRing, of: asset.id, asset.tenant)
        guard try await store.replace(sealed, by: new, of: asset.id) else { return .superseded }
        sealed = new
        return .kept
    }
}

extension SourceFault {
    fileprivate init(_ fault: FreshCredentialsFault<AssetStoreError>) {
        self =
            switch fault {
            // Superseded twice within one call: the next one finds what is there then.
            case .reauthorizationRequired, .superseded: .reauthorizationRequired
            case .broker(let error): .brokerUnreachable(error.description)
            case .notCommitted: .brokerUnreachable("the new tokens cannot be kept in the store")
            case .cancelled: .cancelled
            }
    }
}
