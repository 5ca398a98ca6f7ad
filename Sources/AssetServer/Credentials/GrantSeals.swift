import Assets
import Secrets

/// The sealed forms in which the store may have the credentials of one grant: by them they are told from others that took
/// their place.
final class GrantSeals: Sendable {
    private struct Seals: Sendable {
        var last: Sealed<AssetCredentials>
        /// On its way into the store, or perhaps there.
        var next: Sealed<AssetCredentials>?
        var keptCount = 0
    }

    private let seals: Locked<Seals>

    init(_ stored: Sealed<AssetCredentials>) {
        seals = Locked(Seals(last: stored))
    }

    /// Grows whenever something is kept, at the beginning and at the end of it.
    var keptCount: Int { seals.withLock { $0.keptCount } }

    func contains(_ stored: Sealed<AssetCredentials>) -> Bool {
        seals.withLock { $0.last == stored || $0.next == stored }
    }

    /// Has `write` put `new` into the place of the last form. Never called twice at a time.
    func replace(
        by new: Sealed<AssetCredentials>, _ write: (Sealed<AssetCredentials>) async throws(AssetStoreError) -> Bool
    ) async throws(AssetStoreError) -> Bool {
        let last = seals.withLock { seals in
            seals.next = new
            seals.keptCount += 1
            return seals.last
        }
        let isReplaced = try await write(last)
        seals.withLock { seals in
            if isReplaced { seals.last = new }
            seals.next = nil
            seals.keptCount += 1
        }
        return isReplaced
    }
}
