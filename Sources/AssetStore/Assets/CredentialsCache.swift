import Assets
import Secrets

/// Sealed credentials that were read lately: whoever reads a source asks for them before each request.
///
/// It holds what the table has, since nobody else writes there: who has changed credentials has them forgotten here
/// before anybody is told of the change.
final class CredentialsCache: Sendable {
    private struct State: Sendable {
        var held: [AssetID: Sealed<AssetCredentials>] = [:]
        /// What was read before the last change may be older than it.
        var changes = 0
    }

    /// More assets than that are hardly read at once.
    private static let most = 64

    private let state = Locked(State())

    /// The credentials of an asset, by `read` where they are not held.
    func credentials(
        of asset: AssetID, _ read: () async throws(AssetStoreError) -> Sealed<AssetCredentials>?
    ) async throws(AssetStoreError) -> Sealed<AssetCredentials>? {
        let (held, changes) = state.withLock { ($0.held[asset], $0.changes) }
        if let held { return held }
        let credentials = try await read()
        state.withLock { state in
            guard state.changes == changes else { return }
            if state.held.count >= Self.most { state.held = [:] }
            state.held[asset] = credentials
        }
        return credentials
    }

    func forget(_ asset: AssetID) {
        state.withLock { state in
            state.held[asset] = nil
            state.changes += 1
        }
    }
}
