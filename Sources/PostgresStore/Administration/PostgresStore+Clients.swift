public import Broker
public import Catalog
public import Formats
public import Secrets
import StoreParts

/// Clients that tenants brought, and what lasts from one master key to the next.
extension PostgresStore {
    /// In no particular order, secrets still sealed. Throws where a row has something else in a column than this
    /// program writes: without the client in it, the tenant's flows would act as the installation's.
    public func clients(of tenant: TenantID) async throws(StoreError) -> [KeptClient] {
        try await reader.read { try $0.query(.clients, [.text(tenant.description)]).rows.map(Self.client) }
    }

    private static func client(_ row: QueryResult.Row) throws(PostgresFailure) -> KeptClient {
        guard let sourceType = SourceType.ID(row.text(ClientColumn.sourceType)),
            let parameters = FlowParameters.decode(row.text(ClientColumn.parameters))
        else { throw .malformed }
        return KeptClient(
            sourceType: sourceType, id: row.text(ClientColumn.clientID),
            secret: row.bytesIfAny(ClientColumn.sealedSecret).map { Sealed(stored: $0) },
            scopes: row.textIfAny(ClientColumn.scopes).map { $0.split(separator: " ").map(String.init) },
            parameters: parameters, changedAt: Timestamp(milliseconds: row.int(ClientColumn.changedAt)))
    }

    /// Replaces the row of the one before.
    public func setClient(
        _ client: KeptClient, of tenant: TenantID, recording event: Event
    ) async throws(StoreError) -> Bool {
        try await writer.write { transaction in
            let found = try transaction.query(
                .setClient,
                [
                    .text(tenant.description), .text(client.sourceType.description), .text(client.id),
                    .bytes(client.secret?.bytes), .text(client.scopes?.joined(separator: " ")),
                    .text(FlowParameters.encode(client.parameters)), .int(client.changedAt.milliseconds),
                ])
            transaction.record(event)
            return found.first?.int(0) == 1
        }
    }

    /// Records the event only where there was a client.
    public func deleteClient(
        _ sourceType: SourceType.ID, of tenant: TenantID, recording event: Event
    ) async throws(StoreError) -> Bool {
        try await writer.write { transaction in
            let parameters: [Parameter] = [.text(tenant.description), .text(sourceType.description)]
            guard try transaction.query(.deleteClient, parameters).first != nil else { return false }
            transaction.record(event)
            return true
        }
    }

    /// Looks at clients in the order of tenant and source type, each call in one transaction: flows go on in between.
    public func resealClients(
        after position: ClientPosition?, limit: Int,
        sealing again: @escaping @Sendable (ClientPosition, Sealed<ClientSecret>) -> Sealed<ClientSecret>?
    ) async throws(StoreError) -> (moved: Int, position: ClientPosition?) {
        try await writer.write { transaction in
            let rows = try transaction.query(
                .clientsToReseal,
                [
                    .text(position?.tenant.description ?? ""), .text(position?.sourceType.description ?? ""),
                    .int(Int64(limit)),
                ]
            ).rows
            var moved = 0
            var last: ClientPosition?
            for row in rows {
                guard let tenant = TenantID(row.text(SealedClient.tenant)),
                    let sourceType = SourceType.ID(row.text(SealedClient.sourceType))
                else { continue }
                let place = ClientPosition(tenant: tenant, sourceType: sourceType)
                last = place
                guard let secret = row.bytesIfAny(SealedClient.sealedSecret),
                    let new = again(place, Sealed(stored: secret))
                else { continue }
                try transaction.query(
                    .resealClient, [.text(tenant.description), .text(sourceType.description), .bytes(new.bytes)])
                moved += 1
            }
            return (moved, rows.count == limit ? last : nil)
        }
    }

    /// Does nothing where the ring's first key sealed it. Throws where no key of the ring opens it.
    public func resealAuditKey(_ ring: KeyRing) async throws(StoreError) {
        try await writer.write { transaction in
            guard let row = try transaction.query(.auditKey).first else { return }
            let sealed = Sealed<AuditKey>(stored: row.bytes(0))
            guard sealed.keyID != ring.primary else { return }
            let key = try AuditKey.open(sealed.bytes, ring)
            try transaction.query(.resealAuditKey, [.bytes(AuditKey.seal(key, ring))])
        }
    }

    /// Reads every sealed value's key id, on the connection for long reads.
    public func masterKeyUses(at now: Timestamp) async throws(StoreError) -> [String: MasterKeyUses] {
        try await lists.read { try Self.masterKeyUses(on: $0, at: now) }
    }

    static func masterKeyUses(
        on connection: Connection, at now: Timestamp
    ) throws(PostgresFailure) -> [String: MasterKeyUses] {
        var uses: [String: MasterKeyUses] = [:]
        let moment = [Parameter.int(now.milliseconds)]
        for row in try connection.query(.flowUses, moment).rows {
            uses[row.text(0), default: .init()].flows = Int(row.int(1))
        }
        // What is no sealed value needs no key.
        let name = { (row: QueryResult.Row) in Sealed<Never>(stored: row.bytes(0)).keyID?.description }
        for row in try connection.query(.keyUses, moment).rows {
            if let id = name(row) { uses[id, default: .init()].credentialKeys += Int(row.int(1)) }
        }
        for statement in [Statement.clientUses, .registrationUses] {
            for row in try connection.query(statement).rows {
                if let id = name(row) { uses[id, default: .init()].clients += Int(row.int(1)) }
            }
        }
        for row in try connection.query(.auditKey).rows {
            if let id = name(row) { uses[id, default: .init()].auditTrail = true }
        }
        return uses
    }
}
