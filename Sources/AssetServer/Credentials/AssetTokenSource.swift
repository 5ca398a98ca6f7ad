import Assets
import BrokerClient
import Formats
import Secrets

/// The access tokens of one asset's source.
final class AssetTokenSource: AccessTokenSource {
    typealias Fresh = FreshCredentials<AssetStoreError>

    private struct Held: Sendable {
        let fresh: Fresh
        let seals: GrantSeals
    }

    private let asset: AssetID
    private let tenant: TenantID
    private let sourceType: String
    private let refreshing: GrantRefreshing
    private let held = Locked<Held?>(nil)

    /// The changes of the stored credentials that one call follows: each means that a person has just connected again.
    private static let mostReplacements = 3

    init(of asset: Asset, by refreshing: GrantRefreshing) {
        self.asset = asset.id
        tenant = asset.tenant
        sourceType = asset.source.type
        self.refreshing = refreshing
    }

    func token() async throws(SourceFault) -> AccessToken {
        try await ask { fresh throws(Fresh.Fault) in try await fresh.accessToken() }
    }

    func token(inPlaceOf refused: AccessToken) async throws(SourceFault) -> AccessToken {
        try await ask { fresh throws(Fresh.Fault) in try await fresh.accessToken(inPlaceOf: refused) }
    }

    private func ask(
        _ question: (Fresh) async throws(Fresh.Fault) -> AccessToken
    ) async throws(SourceFault) -> AccessToken {
        var replacements = 0
        while true {
            let fresh = try await current()
            do throws(Fresh.Fault) {
                return try await question(fresh)
            } catch {
                guard case .superseded = error, replacements < Self.mostReplacements else { throw SourceFault(error) }
                replacements += 1
                held.withLock { if $0?.fresh === fresh { $0 = nil } }
            }
        }
    }

    /// The credentials that the store has: those that are held, or others in their place.
    private func current() async throws(SourceFault) -> Fresh {
        while true {
            let before = state
            let stored = try await refreshing.stored(of: asset)
            // What was read may be older than what was kept meanwhile, and its refresh token spent.
            guard state == before else { continue }
            if let held = before.held, held.seals.contains(stored) { return held.fresh }
            let tokens = try refreshing.opened(stored, of: asset, tenant)
            let seals = GrantSeals(stored)
            let new = Held(fresh: fresh(tokens, seals), seals: seals)
            let isFirst = held.withLock { held in
                guard State(held) == before else { return false }
                held = new
                return true
            }
            if isFirst { return new.fresh }
        }
    }

    private var state: State { State(held.withLock { $0 }) }

    /// Tells whether anything was kept or replaced between two looks.
    private struct State: Equatable {
        let held: Held?
        let keptCount: Int

        init(_ held: Held?) {
            self.held = held
            keptCount = held?.seals.keptCount ?? 0
        }

        static func == (left: State, right: State) -> Bool {
            left.held?.seals === right.held?.seals && left.keptCount == right.keptCount
        }
    }

    private func fresh(_ tokens: GrantedTokens, _ seals: GrantSeals) -> Fresh {
        let (asset, tenant, sourceType, refreshing) = (asset, tenant, sourceType, refreshing)
        return Fresh(
            tokens,
            refresh: { [weak self] token throws(BrokerError) in
                // While a refresh is under way this is the asset's source, even if nobody waits for it any more.
                let source = self
                defer { withExtendedLifetime(source) {} }
                return try await refreshing.broker.refresh(token, of: sourceType, for: tenant).tokens
            },
            tryAgain: { error, attempt in await refreshing.mayTryAgain(after: error, attempt) },
            now: refreshing.broker.now,
            commit: { [weak self] tokens throws(AssetStoreError) in
                let source = self
                defer { withExtendedLifetime(source) {} }
                let new = refreshing.sealed(tokens, of: asset, tenant)
                let isKept = try await seals.replace(by: new) { old throws(AssetStoreError) in
                    try await refreshing.store.replace(old, by: new, of: asset)
                }
                return isKept ? .kept : .superseded
            })
    }
}
