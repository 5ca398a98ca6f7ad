public import Broker
import Catalog
public import Formats
import Foundation
import GRDB
import Secrets

/// Operators' revocations.
extension SQLiteStore {
    /// Keeps one row, whose id is the revocation's place in the order, and forgets the selection's kept refreshes; no
    /// flow is touched. See `FlowRow.isRevoked`.
    public func revokeFlows(
        _ selection: Selection, at time: Timestamp, recording event: Event
    ) async throws(StoreError) -> RevocationNumber {
        try await writer.write { transaction in
            try transaction.record(event)
            if selection.flow == nil { try Self.forgetRefreshes(selection, in: transaction.db) }
            let number = try transaction.db.first(
                """
                INSERT OR FAIL INTO revocations (tenant, source_type, flow, time) VALUES (?, ?, ?, ?) RETURNING id
                """, .text(selection.tenant?.description), .text(selection.sourceType?.description),
                .blob(selection.flow?.bytes), .integer(time.milliseconds)
            ) { $0.integer(0) }
            return RevocationNumber(number ?? 0)
        }
    }

    /// Ends the flow of a destroyed credential key.
    private static let takeBack =
        "UPDATE OR FAIL flows SET status = \(FlowRow.Status.failed), error = ?, sealed_key = NULL WHERE id = ?"

    /// Looks at credential keys in the order of their expiry. The flow of each that goes ends with `invalid_state`, and
    /// the audit trail gets an event for each.
    public func destroyCredentialKeys(
        _ selection: Selection, startedBefore revocation: RevocationNumber, after position: CredentialKeyPosition?,
        limit: Int, by requester: Requester, at now: Timestamp
    ) async throws(StoreError) -> (destroyed: [DestroyedCredentialKey], position: CredentialKeyPosition?) {
        try await writer.write { transaction in
            let db = transaction.db
            var looked = 0
            var last: CredentialKeyPosition?
            var found: [(key: CredentialKeySummary, revocation: [UInt8]?)] = []
            // From the very first: by a clock that is ahead, all have expired, and yet they are good tomorrow.
            let start = CredentialKeyPosition(expiresAt: Timestamp(milliseconds: 0), keyDigest: [])
            let rows = try Self.credentialKeys(after: position ?? start, in: db)
            while looked < limit, let row = try rows.next() {
                looked += 1
                guard let key = Self.summary(row) else { continue }
                last = key.position
                // A place in the order that is no number is before every revocation.
                let line: Int64 = row[CredentialKeyColumn.line] ?? 0
                guard selection.holds(key.placement), line < revocation.value else { continue }
                found.append((key, (row[CredentialKeyColumn.sealedRevocation] as Data?).map { Array($0) }))
            }
            for (key, _) in found {
                try db.run("DELETE FROM credential_keys WHERE digest = ?", .blob(key.position.keyDigest))
                try db.run(
                    Self.takeBack, .text(FlowRow.revoked), .blob(key.placement.flow.bytes))
                try transaction.record(Event(.revocation, at: now, by: requester, key.placement))
            }
            let destroyed = found.map {
                DestroyedCredentialKey(
                    placement: $0.key.placement, revocation: $0.revocation.map { Sealed(stored: $0) })
            }
            return (destroyed, looked == limit ? last : nil)
        }
    }
}
