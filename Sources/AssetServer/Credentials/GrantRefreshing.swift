import AssetReaders
import Assets
import BrokerClient
import Formats
import Logging
import Secrets

/// All that is needed to open, refresh and keep the credentials of assets.
struct GrantRefreshing: Sendable {
    let store: any IngestionStore
    let keyRing: KeyRing
    let broker: BrokerClient
    let retry: RetryPolicy
    let logger: Logger
    let pause: @Sendable (Duration) async throws -> Void
    let random: @Sendable () -> Double

    /// The credentials as the store has them. Where they cannot be opened, only new ones help.
    func stored(of asset: AssetID) async throws(SourceFault) -> Sealed<AssetCredentials> {
        let stored: Sealed<AssetCredentials>?
        do throws(AssetStoreError) {
            stored = try await store.credentials(of: asset)
        } catch {
            throw SourceFault(error, doing: "be read")
        }
        guard let stored else { throw .reauthorizationRequired }
        return stored
    }

    func opened(
        _ sealed: Sealed<AssetCredentials>, of asset: AssetID, _ tenant: TenantID
    ) throws(SourceFault) -> GrantedTokens {
        do throws(OpenError) {
            let credentials = try AssetCredentials(sealed, by: keyRing, of: asset, tenant)
            return GrantedTokens(
                accessToken: credentials.accessToken, refreshToken: credentials.refreshToken,
                expiresAt: credentials.expiresAt)
        } catch {
            let reason =
                switch error {
                case .malformed: "they are malformed"
                case .unknownKey(let id): "the master key \"\(id)\" is not in masterKeyFile"
                case .notAuthentic: "they were altered, or sealed under another key or for another asset"
                }
            logger.error(
                "an asset's credentials cannot be opened; connect it again",
                metadata: ["asset": "\(asset)", "reason": "\(reason)"])
            throw .reauthorizationRequired
        }
    }

    func sealed(
        _ tokens: GrantedTokens, of asset: AssetID, _ tenant: TenantID
    ) -> Sealed<AssetCredentials> {
        AssetCredentials(
            accessToken: tokens.accessToken, refreshToken: tokens.refreshToken, expiresAt: tokens.expiresAt
        ).sealed(by: keyRing, of: asset, tenant)
    }

    /// Waits after a try that failed; `false` after the last one.
    func mayTryAgain(after error: BrokerError, _ attempt: Int) async -> Bool {
        guard let wait = retry.wait(after: attempt, asked: error.retryAfter, random: random()) else { return false }
        return (try? await pause(wait)) != nil
    }
}

extension SourceFault {
    init(_ error: AssetStoreError, doing what: String) {
        switch error {
        case .unavailable(let reason): self = .brokerUnreachable("the credentials cannot \(what): \(reason)")
        // The service stops; the next one goes on.
        case .closed: self = .cancelled
        }
    }

    init(_ fault: FreshCredentialsFault<AssetStoreError>) {
        switch fault {
        case .reauthorizationRequired: self = .reauthorizationRequired
        case .superseded: self = .brokerUnreachable("the credentials were replaced again and again")
        case .broker(.cancelled), .cancelled: self = .cancelled
        case .broker(let error): self = .brokerUnreachable(error.description)
        case .notCommitted(let error): self = SourceFault(error, doing: "be kept")
        }
    }
}
