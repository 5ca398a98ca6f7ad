public import Broker
public import Catalog
public import Formats
import Foundation
import GRDB
import Secrets

/// What operators ask.
extension SQLiteStore {
    // MARK: events

    public func record(_ event: Event) async throws(StoreError) {
        try await writer.write { [trail] db in try trail.append(event, db) }
    }

    /// A page looks at no more events or tickets than these, so that it takes some tenth of a second at most: as long
    /// as it reads, the write-ahead log cannot be taken back into the file.
    static let mostLookedAt = 50_000

    public func events(
        _ filter: EventFilter, before sequence: Int64?, limit: Int
    ) async throws(StoreError) -> EventPage {
        await failures.flush()
        return try await lists.read { db in
            var found: [RecordedEvent] = []
            var looked = 0
            let rows = try Self.events(filter.kind, before: sequence ?? .max, db)
            while found.count < limit, let row = try rows.next() {
                guard looked < Self.mostLookedAt else { return EventPage(events: found, next: (row[0] as Int64) &+ 1) }
                looked += 1
                guard let event = AuditRow(row, if: filter)?.event else { continue }
                // Events stand in the order of their times; those of version 4 and before but for moments.
                if let since = filter.since, event.time.milliseconds < since.milliseconds - Self.disorder { break }
                if filter.matches(event) { found.append(RecordedEvent(sequence: row[0], event: event)) }
            }
            return EventPage(events: found, next: nil)
        }
    }

    private static func events(_ kind: Event.Kind?, before sequence: Int64, _ db: Database) throws -> RowCursor {
        guard let kind, isSeldom(kind) else {
            let sql = "SELECT \(AuditRow.columns) FROM audit_events WHERE sequence < ? ORDER BY sequence DESC"
            return try Row.fetchCursor(db, sql: sql, arguments: [sequence])
        }
        return try Row.fetchCursor(
            db,
            sql: """
                SELECT \(AuditRow.columns) FROM audit_events INDEXED BY audit_events_seldom
                WHERE \(AuditRow.isSeldom) AND type = ? AND sequence < ? ORDER BY sequence DESC
                """, arguments: [kind.rawValue, sequence])
    }

    private static func isSeldom(_ kind: Event.Kind) -> Bool {
        switch kind {
        case .flowStarted, .flowSucceeded, .credentialKeyRedeemed, .credentialsRefreshed: false
        default: true
        }
    }

    /// By how much an event of an old database may be older than the one before it: calls wait for their commit.
    private static let disorder: Int64 = 60_000

    // MARK: tickets

    public func tickets(
        _ selection: Selection, at now: Timestamp, after position: TicketPosition?, limit: Int
    ) async throws(StoreError) -> TicketPage {
        try await lists.read { db in
            var found: [TicketSummary] = []
            var looked = 0
            var last: TicketPosition?
            let start = TicketPosition(expiresAt: now, keyDigest: [UInt8](repeating: 0xFF, count: 32))
            let rows = try Self.tickets(after: position ?? start, db)
            while found.count < limit, let row = try rows.next() {
                guard looked < Self.mostLookedAt else { return TicketPage(tickets: found, next: last) }
                looked += 1
                guard let ticket = Self.summary(row) else { continue }
                last = ticket.position
                if selection.holds(ticket.placement), ticket.expiresAt > now { found.append(ticket) }
            }
            return TicketPage(tickets: found, next: nil)
        }
    }

    /// In the order of the index, which no ticket ever leaves.
    private static func tickets(after position: TicketPosition, _ db: Database) throws -> RowCursor {
        try Row.fetchCursor(
            db,
            sql: """
                SELECT flow, tenant, source_type, created_at, expires_at, digest, sealed_revocation, line
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
    ) async throws(StoreError) -> RevocationNumber {
        try await writer.write { [trail] db in
            try trail.append(event, db)
            let number = try db.first(
                """
                INSERT OR FAIL INTO revocations (tenant, source_type, flow, time) VALUES (?, ?, ?, ?) RETURNING id
                """, .text(selection.tenant?.description), .text(selection.sourceType?.description),
                .blob(selection.flow?.bytes), .integer(time.milliseconds)
            ) { $0.integer(0) }
            return RevocationNumber(number ?? 0)
        }
    }

    public func destroyTickets(
        _ selection: Selection, startedBefore revocation: RevocationNumber, after position: TicketPosition?,
        limit: Int, by requester: Requester, at now: Timestamp
    ) async throws(StoreError) -> (destroyed: [DestroyedTicket], position: TicketPosition?) {
        try await writer.write { [trail] db in
            var looked = 0
            var last: TicketPosition?
            var found: [(ticket: TicketSummary, revocation: [UInt8]?)] = []
            // From the very first: by a clock that is ahead, all have expired, and yet they are good tomorrow.
            let start = TicketPosition(expiresAt: Timestamp(milliseconds: 0), keyDigest: [])
            let rows = try Self.tickets(after: position ?? start, db)
            while looked < limit, let row = try rows.next() {
                looked += 1
                guard let ticket = Self.summary(row) else { continue }
                last = ticket.position
                guard selection.holds(ticket.placement), (row[7] as Int64) < revocation.value else { continue }
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
