public import Broker
import Catalog
public import Formats
import Foundation
import GRDB

/// Credential keys as operators see them.
extension SQLiteStore {
    /// The events or credential keys that one page looks at, so that it takes some tenth of a second at most: while it
    /// reads, the write-ahead log cannot be taken back into the file.
    static let mostLookedAt = 50_000

    /// Ends a page early, with a place to go on from, once `mostLookedAt` rows were read: where few fit the selection,
    /// pages may be short or empty.
    public func credentialKeys(
        _ selection: Selection, at now: Timestamp, after position: CredentialKeyPosition?, limit: Int
    ) async throws(StoreError) -> CredentialKeyPage {
        try await lists.read { db in
            var found: [CredentialKeySummary] = []
            var looked = 0
            var last: CredentialKeyPosition?
            let start = CredentialKeyPosition(expiresAt: now, keyDigest: [UInt8](repeating: 0xFF, count: 32))
            let rows = try Self.credentialKeys(after: position ?? start, in: db)
            while found.count < limit, let row = try rows.next() {
                guard looked < Self.mostLookedAt else { return CredentialKeyPage(credentialKeys: found, next: last) }
                looked += 1
                guard let key = Self.summary(row) else { continue }
                last = key.position
                if selection.holds(key.placement), key.expiresAt > now { found.append(key) }
            }
            return CredentialKeyPage(credentialKeys: found, next: nil)
        }
    }

    /// In the order of the index, which no credential key ever leaves.
    static func credentialKeys(after position: CredentialKeyPosition, in db: Database) throws -> RowCursor {
        try Row.fetchCursor(
            db,
            sql: """
                SELECT \(CredentialKeyColumn.list)
                FROM credential_keys WHERE (expires_at, digest) > (?, ?) ORDER BY expires_at, digest
                """, arguments: [position.expiresAt.milliseconds, Data(position.keyDigest)])
    }

    /// `nil` where the row is not one that this program wrote.
    static func summary(_ row: Row) -> CredentialKeySummary? {
        guard let flow = (row[CredentialKeyColumn.flow] as Data?).flatMap({ FlowID(bytes: Array($0)) }),
            let tenant = (row[CredentialKeyColumn.tenant] as String?).flatMap({ TenantID($0) }),
            let sourceType = (row[CredentialKeyColumn.sourceType] as String?).flatMap({ SourceType.ID($0) }),
            let digest: Data = row[CredentialKeyColumn.digest], let expiry: Int64 = row[CredentialKeyColumn.expiresAt],
            let creation: Int64 = row[CredentialKeyColumn.createdAt]
        else { return nil }
        let expiresAt = Timestamp(milliseconds: expiry)
        return CredentialKeySummary(
            placement: Placement(tenant: tenant, sourceType: sourceType, flow: flow),
            createdAt: Timestamp(milliseconds: creation), expiresAt: expiresAt,
            position: CredentialKeyPosition(expiresAt: expiresAt, keyDigest: Array(digest)))
    }
}

enum CredentialKeyColumn: Int32, Columns {
    case flow, tenant, sourceType, createdAt, expiresAt, digest, sealedRevocation, line
}

extension Selection {
    func holds(_ placement: Placement) -> Bool {
        (tenant == nil || tenant == placement.tenant) && (sourceType == nil || sourceType == placement.sourceType)
            && (flow == nil || flow == placement.flow)
    }
}
