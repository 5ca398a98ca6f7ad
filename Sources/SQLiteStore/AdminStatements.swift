public import Broker
import Foundation
import GRDB
import Secrets

/// What operators ask.
extension SQLiteStore {
    // MARK: events

    public func record(_ event: Event) async throws(StoreError) {
        try await writer.write { [trail] db in try trail.append(event, db) }
    }

    public func events(
        _ filter: EventFilter, before sequence: Int64?, limit: Int
    ) async throws(StoreError) -> [RecordedEvent] {
        try await reader.read { db in
            var found: [RecordedEvent] = []
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT \(AuditRow.columns) FROM audit_events WHERE sequence < ? ORDER BY sequence DESC
                    """, arguments: [sequence ?? .max])
            while found.count < limit, let row = try rows.next() {
                guard let event = AuditRow(row)?.event else { continue }
                // Events stand in the order of their commits, which is that of their times but for moments.
                if let since = filter.since, event.time.milliseconds < since.milliseconds - Self.disorder { break }
                if filter.matches(event) { found.append(RecordedEvent(sequence: row[0], event: event)) }
            }
            return found
        }
    }

    /// By how much an event may be older than the one before it: calls wait for their commit.
    private static let disorder: Int64 = 60_000

    // MARK: tickets

    public func tickets(
        _ selection: Selection, at now: Timestamp, after position: TicketPosition?, limit: Int
    ) async throws(StoreError) -> [TicketSummary] {
        try await reader.read { db in
            var found: [TicketSummary] = []
            let rows = try Self.tickets(after: position ?? TicketPosition(expiresAt: now, keyDigest: Self.highest), db)
            while found.count < limit, let row = try rows.next() {
                guard let ticket = Self.summary(row), selection.holds(ticket.placement), ticket.expiresAt > now else {
                    continue
                }
                found.append(ticket)
            }
            return found
        }
    }

    /// Above every digest of a key.
    private static let highest = [UInt8](repeating: 0xFF, count: 32)

    /// In the order of the index, which no ticket ever leaves.
    private static func tickets(after position: TicketPosition, _ db: Database) throws -> RowCursor {
        try Row.fetchCursor(
            db,
            sql: """
                SELECT flow, tenant, source_type, created_at, expires_at, digest, sealed_revocation, flow_created_at
                FROM credential_keys WHERE (expires_at, digest) > (?, ?) ORDER BY expires_at, digest
                """, arguments: [position.expiresAt.milliseconds, Data(position.keyDigest)])
    }

    private static func summary(_ row: Row) -> TicketSummary? {
        guard let flow = FlowID(bytes: Array(row[0] as Data)), let tenant = TenantID(row[1] as String),
            let sourceType = SourceType.ID(row[2] as String)
        else { return nil }
        let expiresAt = Timestamp(milliseconds: row[4])
        return TicketSummary(
            placement: Placement(tenant: tenant, sourceType: sourceType, flow: flow),
            createdAt: Timestamp(milliseconds: row[3]), expiresAt: expiresAt,
            position: TicketPosition(expiresAt: expiresAt, keyDigest: Array(row[5] as Data)))
    }

    // MARK: revocations

    public func revokeFlows(
        _ selection: Selection, at time: Timestamp, _ event: Event
    ) async throws(StoreError) -> Timestamp {
        // Where the clock was set back, flows have a later time than now. This looks at each of them, so it is not the
        // writer that does.
        let latest =
            try await reader.read { db in
                try Int64.fetchOne(
                    db,
                    sql: """
                        SELECT max(coalesce((SELECT max(created_at) FROM flows), 0),
                            coalesce((SELECT max(flow_created_at) FROM credential_keys), 0))
                        """)
            } ?? 0
        return try await writer.write { [trail] db in
            try trail.append(event, db)
            if let flow = selection.flow {
                try db.run(
                    """
                    UPDATE OR FAIL flows SET status = 3, error = ? WHERE id = ? AND status < 2
                        AND tenant = coalesce(?, tenant) AND source_type = coalesce(?, source_type)
                    """, .text(FlowRow.revoked), .blob(flow.bytes), .text(selection.tenant?.description),
                    .text(selection.sourceType?.description))
                // One flow and its key, whenever it was started.
                return Timestamp(milliseconds: .max)
            }
            // After every flow that is here: one that began in the moment of the last revocation was put behind it.
            let drawn = try db.first(
                """
                INSERT OR FAIL INTO revocations (tenant, source_type, time)
                VALUES (?, ?, max(?, (SELECT coalesce(max(time) + 1, 0) FROM revocations))) RETURNING time
                """, .text(selection.tenant?.description), .text(selection.sourceType?.description),
                .integer(max(time.milliseconds, latest))
            ) { Timestamp(milliseconds: $0.integer(0)) }
            return drawn ?? time
        }
    }

    public func destroyTickets(
        _ selection: Selection, startedUntil time: Timestamp, after position: TicketPosition?, limit: Int,
        by requester: Requester, at now: Timestamp
    ) async throws(StoreError) -> (destroyed: [DestroyedTicket], position: TicketPosition?) {
        try await writer.write { [trail] db in
            var looked = 0
            var last: TicketPosition?
            var found: [(ticket: TicketSummary, revocation: [UInt8]?)] = []
            // What has expired is the sweep's.
            let start = TicketPosition(expiresAt: now, keyDigest: Self.highest)
            let rows = try Self.tickets(after: position ?? start, db)
            while looked < limit, let row = try rows.next() {
                looked += 1
                guard let ticket = Self.summary(row) else { continue }
                last = ticket.position
                guard selection.holds(ticket.placement), (row[7] as Int64) <= time.milliseconds else { continue }
                found.append((ticket, (row[6] as Data?).map { Array($0) }))
            }
            for (ticket, _) in found {
                try db.run("DELETE FROM credential_keys WHERE digest = ?", .blob(ticket.position.keyDigest))
                try db.run(
                    "UPDATE OR FAIL flows SET status = 3, error = ?, sealed_key = NULL WHERE id = ?",
                    .text(FlowRow.revoked), .blob(ticket.placement.flow.bytes))
                try trail.append(Event(.revocation, at: now, by: requester, ticket.placement), db)
            }
            let destroyed = found.map {
                DestroyedTicket(placement: $0.ticket.placement, revocation: $0.revocation.map { Sealed(stored: $0) })
            }
            return (destroyed, looked == limit ? last : nil)
        }
    }

    // MARK: tenants' clients

    public func clients(of tenant: TenantID) async throws(StoreError) -> [KeptClient] {
        try await reader.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT source_type, client_id, sealed_secret, scopes, parameters, changed_at FROM clients
                    WHERE tenant = ?
                    """, arguments: [tenant.description])
            return rows.compactMap { row in
                guard let sourceType = SourceType.ID(row[0] as String) else { return nil }
                return KeptClient(
                    sourceType: sourceType, id: row[1], secret: (row[2] as Data?).map { Sealed(stored: Array($0)) },
                    scopes: (row[3] as String?).map { $0.split(separator: " ").map(String.init) },
                    parameters: FlowRow.decode(row[4]) ?? [:], changedAt: Timestamp(milliseconds: row[5]))
            }
        }
    }

    public func setClient(
        _ client: KeptClient, of tenant: TenantID, _ event: Event
    ) async throws(StoreError) -> Bool {
        try await writer.write { [trail] db in
            let isNew = try Self.deleteClient(client.sourceType, of: tenant, db) == nil
            try db.run(
                """
                INSERT OR FAIL INTO clients (tenant, source_type, client_id, sealed_secret, scopes, parameters,
                    changed_at) VALUES (?, ?, ?, ?, ?, ?, ?)
                """, .text(tenant.description), .text(client.sourceType.description), .text(client.id),
                .blob(client.secret?.bytes), .text(client.scopes?.joined(separator: " ")),
                .text(FlowRow.encode(client.parameters)), .integer(client.changedAt.milliseconds))
            try trail.append(event, db)
            return isNew
        }
    }

    public func deleteClient(
        _ sourceType: SourceType.ID, of tenant: TenantID, _ event: Event
    ) async throws(StoreError) -> Bool {
        try await writer.write { [trail] db in
            guard try Self.deleteClient(sourceType, of: tenant, db) != nil else { return false }
            try trail.append(event, db)
            return true
        }
    }

    private static func deleteClient(_ sourceType: SourceType.ID, of tenant: TenantID, _ db: Database) throws -> Void? {
        try db.first(
            "DELETE FROM clients WHERE tenant = ? AND source_type = ? RETURNING 1", .text(tenant.description),
            .text(sourceType.description)
        ) { _ in }
    }
}

extension Selection {
    fileprivate func holds(_ placement: Placement) -> Bool {
        (tenant == nil || tenant == placement.tenant) && (sourceType == nil || sourceType == placement.sourceType)
            && (flow == nil || flow == placement.flow)
    }
}
