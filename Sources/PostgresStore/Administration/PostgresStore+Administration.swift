public import Broker
import Catalog
public import Formats
import Secrets

/// Operators' revocations and lists.
extension PostgresStore {
    /// The rows that one page looks at, so that it takes some tenth of a second at most.
    static let mostLookedAt: Int64 = 50_000

    /// Ends a page early, with a place to go on from, once `mostLookedAt` rows were read: where few fit the selection,
    /// pages may be short or empty.
    public func credentialKeys(
        _ selection: Selection, at now: Timestamp, after position: CredentialKeyPosition?, limit: Int
    ) async throws(StoreError) -> CredentialKeyPage {
        try await lists.read { connection in
            var found: [CredentialKeySummary] = []
            var last = position ?? CredentialKeyPosition(expiresAt: now, keyDigest: [UInt8](repeating: 0xFF, count: 32))
            var looked: Int64 = 0
            while found.count < limit {
                guard looked < Self.mostLookedAt else { return CredentialKeyPage(credentialKeys: found, next: last) }
                let size = min(Self.mostLookedAt, 1000)
                let rows = try connection.query(
                    .keyPage, [.int(last.expiresAt.milliseconds), .bytes(last.keyDigest), .int(size)]
                ).rows
                looked += Int64(rows.count)
                for row in rows where found.count < limit {
                    guard let key = Self.summary(row) else { continue }
                    last = key.position
                    if selection.holds(key.placement), key.expiresAt > now { found.append(key) }
                }
                if rows.count < size { break }
            }
            return CredentialKeyPage(credentialKeys: found, next: nil)
        }
    }

    /// `nil` where the row is not one that this program wrote.
    private static func summary(_ row: QueryResult.Row) -> CredentialKeySummary? {
        guard let placement = placement(row, KeyColumn.tenant, KeyColumn.sourceType, KeyColumn.flow) else { return nil }
        let expiresAt = Timestamp(milliseconds: row.int(KeyColumn.expiresAt))
        return CredentialKeySummary(
            placement: placement, createdAt: Timestamp(milliseconds: row.int(KeyColumn.createdAt)),
            expiresAt: expiresAt,
            position: CredentialKeyPosition(expiresAt: expiresAt, keyDigest: row.bytes(KeyColumn.digest)))
    }

    private static func placement(
        _ row: QueryResult.Row, _ tenant: KeyColumn, _ sourceType: KeyColumn, _ flow: KeyColumn
    ) -> Placement? {
        guard let tenant = TenantID(row.text(tenant)), let sourceType = SourceType.ID(row.text(sourceType)),
            let flow = FlowID(bytes: row.bytes(flow))
        else { return nil }
        return Placement(tenant: tenant, sourceType: sourceType, flow: flow)
    }

    /// Alone in the line: no transaction that began before commits beside it, so a flow's place before or after it is
    /// certain.
    public func revokeFlows(
        _ selection: Selection, at time: Timestamp, recording event: Event
    ) async throws(StoreError) -> RevocationNumber {
        try await writer.write(line: .alone) { transaction in
            let (tenant, sourceType) = (
                Parameter.text(selection.tenant?.description), Parameter.text(selection.sourceType?.description)
            )
            let found = try transaction.query(
                .revoke, [tenant, sourceType, .bytes(selection.flow?.bytes), .int(time.milliseconds)])
            if selection.flow == nil { try transaction.query(.forgetSelectedRefreshes, [tenant, sourceType]) }
            transaction.record(event)
            guard let number = found.first?.int(0) else { throw PostgresFailure.malformed }
            return RevocationNumber(number)
        }
    }

    /// Looks at credential keys in the order of their expiry. The flow of each that goes ends with `invalid_state`, and
    /// the audit trail gets an event for each.
    public func destroyCredentialKeys(
        _ selection: Selection, startedBefore revocation: RevocationNumber, after position: CredentialKeyPosition?,
        limit: Int, by requester: Requester, at now: Timestamp
    ) async throws(StoreError) -> (destroyed: [DestroyedCredentialKey], position: CredentialKeyPosition?) {
        try await writer.write { transaction in
            let start = try position ?? Self.firstPosition(in: transaction)
            let rows = try transaction.query(
                .nextKeys, [.int(start.expiresAt.milliseconds), .bytes(start.keyDigest), .int(Int64(limit))]
            ).rows
            let keys = rows.compactMap { row in Self.summary(row).map { (key: $0, line: row.int(KeyColumn.line)) } }
            let chosen = keys.filter { selection.holds($0.key.placement) && $0.line < revocation.value }
            let last = rows.count == limit ? keys.last?.key.position : nil
            guard !chosen.isEmpty else { return ([], last) }
            let gone = try transaction.query(.destroyKeys, [.byteses(chosen.map(\.key.position.keyDigest))]).rows
            var destroyed: [DestroyedCredentialKey] = []
            let sealed = Dictionary(uniqueKeysWithValues: gone.map { ($0.bytes(0), $0.isNull(4) ? nil : $0.bytes(4)) })
            for (key, _) in chosen {
                guard let revocation = sealed[key.position.keyDigest] else { continue }
                destroyed.append(
                    DestroyedCredentialKey(
                        placement: key.placement, revocation: revocation.map { Sealed(stored: $0) }))
                transaction.record(Event(.revocation, at: now, by: requester, key.placement))
            }
            try transaction.query(
                .takeBack, [.byteses(destroyed.map(\.placement.flow.bytes).sorted { $0.lexicographicallyPrecedes($1) })]
            )
            return (destroyed, last)
        }
    }

    /// What expired before the last sweep is gone or spent, but for what came meanwhile by a clock that is behind.
    private static func firstPosition(in transaction: Transaction) throws -> CredentialKeyPosition {
        let from = try transaction.query(.sweepMarks).first?.int(Statement.SweepMarks.keysFrom) ?? 0
        return CredentialKeyPosition(expiresAt: Timestamp(milliseconds: max(0, from - 3_600_000)), keyDigest: [])
    }
}

extension Selection {
    func holds(_ placement: Placement) -> Bool {
        (tenant == nil || tenant == placement.tenant) && (sourceType == nil || sourceType == placement.sourceType)
            && (flow == nil || flow == placement.flow)
    }
}
