import AssetStore
import Assets
import Daemon
import Logging
import Secrets

extension KeyWatcher {
    /// Takes over the keys of the file, unless one is missing under which credentials are sealed, and moves those under
    /// the first key.
    init(_ configuration: Configuration, _ store: SQLiteAssetStore, _ logger: Logger) {
        let keyRing = configuration.keyRing
        self.init(state: configuration.masterKeyFile, logger: logger) { ring in
            try await ring.check(store)
            return keyRing.replace(by: ring)
        } reseal: {
            do throws(AssetStoreError) {
                let moved = try await keyRing.reseal(store)
                if moved > 0 { logger.notice("credentials sealed again", metadata: ["moved": "\(moved)"]) }
            } catch {
                logger.error(
                    "what another master key sealed could not be moved", metadata: ["reason": "\(error.words)"])
            }
        }
    }
}

extension KeyRing {
    /// Throws where credentials are sealed under a key that this ring has not.
    func check(_ store: SQLiteAssetStore) async throws(Refusal) {
        let missing: [KeyID]
        do {
            missing = try await store.sealingKeys().filter { !ids.contains($0) }
        } catch {
            throw Refusal("the database cannot tell which master keys it needs (\(error.words))")
        }
        guard missing.isEmpty else {
            let names = missing.map { "\"\($0)\"" }.sorted().joined(separator: ", ")
            throw Refusal(
                "masterKeyFile: the file lacks \(names), under which credentials are sealed", hint: "put it back")
        }
    }

    /// Moves credentials under the first key. Those that do not open stay as they are: their owners connect again.
    fileprivate func reseal(_ store: SQLiteAssetStore) async throws(AssetStoreError) -> Int {
        var (moved, place): (Int, Int64?) = (0, 0)
        while let after = place {
            let (found, next) = try await store.credentials(notUnder: primary, after: after)
            for kept in found {
                guard let opened = try? AssetCredentials(kept.sealed, by: self, of: kept.asset, kept.tenant) else {
                    continue
                }
                let sealed = opened.sealed(by: self, of: kept.asset, kept.tenant)
                // A refresh meanwhile has sealed others, under the first key.
                if try await store.replace(kept.sealed, by: sealed, of: kept.asset) { moved += 1 }
            }
            place = next
        }
        return moved
    }
}
