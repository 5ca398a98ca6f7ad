public import Assets
public import Formats
import GRDB
public import Secrets

/// Credentials of an asset, as they are kept.
public struct KeptCredentials: Sendable {
    public let asset: AssetID
    public let tenant: TenantID
    public let sealed: Sealed<AssetCredentials>
}

/// What is sealed under which master key, for a change of keys.
extension SQLiteAssetStore {
    /// The most rows that are looked at in one reading, which others wait for.
    private static let step: Int64 = 1000

    /// The names of the master keys that the credentials of all assets need.
    public func sealingKeys() async throws(AssetStoreError) -> Set<KeyRing.KeyID> {
        var keys: Set<KeyRing.KeyID> = []
        var place: Int64 = 0
        while true {
            let after = place
            let (found, last) = try await lists.first { try Self.keys(after: after, in: $0) }
            keys.formUnion(found)
            guard let last else { return keys }
            place = last
        }
    }

    private static func keys(after place: Int64, in db: Database) throws -> (Set<KeyRing.KeyID>, last: Int64?) {
        var (keys, last): (Set<KeyRing.KeyID>, Int64?) = ([], nil)
        // The name stands at the beginning, within 34 bytes.
        try db.each(
            """
            SELECT line, substr(credentials, 1, 34) FROM assets
            WHERE line > ? AND credentials IS NOT NULL ORDER BY line LIMIT ?
            """, .integer(place), .integer(step)
        ) { row in
            last = row.integer(0)
            if let key = Sealed<AssetCredentials>(stored: row.blob(1)).keyID { keys.insert(key) }
            return true
        }
        return (keys, last)
    }

    /// Some credentials that are sealed under another key than this one, those first that lie behind `place`, and the
    /// place to go on from; `nil` at the end.
    public func credentials(
        notUnder key: KeyRing.KeyID, after place: Int64
    ) async throws(AssetStoreError) -> (found: [KeptCredentials], next: Int64?) {
        try await lists.first { db in
            var (found, last): ([KeptCredentials], Int64?) = ([], nil)
            try db.each(
                """
                SELECT line, id, tenant, credentials FROM assets
                WHERE line > ? AND credentials IS NOT NULL ORDER BY line LIMIT ?
                """, .integer(place), .integer(Self.step)
            ) { row in
                last = row.integer(0)
                let sealed = Sealed<AssetCredentials>(stored: row.blob(3))
                guard sealed.keyID != key else { return true }
                guard let asset = AssetID(bytes: row.blob(1)), let tenant = TenantID(row.text(2)) else {
                    throw MalformedRow()
                }
                found.append(KeptCredentials(asset: asset, tenant: tenant, sealed: sealed))
                return true
            }
            return (found, last)
        }
    }
}
