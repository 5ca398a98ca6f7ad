public import AssetReaders
public import Assets
public import BrokerClient
public import Logging
public import Secrets

/// The access tokens of assets' sources: one source of tokens for each asset, whoever asks, so that no two refreshes of a
/// grant are under way at once.
///
/// The store is looked at for each token: where somebody connected the asset again, the next token is of the new grant.
public final class AssetTokens: Sendable {
    private struct Entry: Sendable {
        /// Kept by those who use it, operations mostly.
        weak var tokens: AssetTokenSource?
    }

    private struct Known: Sendable {
        var entries: [AssetID: Entry] = [:]
        /// So many entries are kept before those are dropped that nobody uses.
        var most = 64
    }

    private let known = Locked(Known())
    private let refreshing: GrantRefreshing

    /// - Parameters:
    ///   - retry: `sources.retry`.
    ///   - pause: returns after so long. Called in a task of its own, which has no worker's place to give away.
    ///   - random: a number from 0 to 1.
    public init(
        store: any IngestionStore, keyRing: KeyRing, broker: BrokerClient, retry: RetryPolicy, logger: Logger,
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        random: @escaping @Sendable () -> Double = { .random(in: 0...1) }
    ) {
        refreshing = GrantRefreshing(
            store: store, keyRing: keyRing, broker: broker, retry: retry, logger: logger, pause: pause, random: random)
    }

    /// `nil` where the asset has no credentials.
    public func source(of asset: Asset) -> (any AccessTokenSource)? {
        guard asset.source.hasCredentials else { return nil }
        return known.withLock { known in
            if let tokens = known.entries[asset.id]?.tokens { return tokens }
            if known.entries.count >= known.most {
                known.entries = known.entries.filter { $0.value.tokens != nil }
                known.most = max(64, known.entries.count * 2)
            }
            let tokens = AssetTokenSource(of: asset, by: refreshing)
            known.entries[asset.id] = Entry(tokens: tokens)
            return tokens
        }
    }

    /// The assets that are known, those that nobody uses included. For tests.
    var count: Int { known.withLock { $0.entries.count } }
}
