public import Broker
public import Formats
public import Secrets

/// Clients that the broker registered by itself.
extension PostgresStore {
    /// Sees all that was committed before.
    public func registration(issuer: String, redirectURI: String) async throws(StoreError) -> KeptRegistration? {
        try await reader.read { connection in
            try connection.query(.registration, [.text(issuer), .text(redirectURI)]).first.map(Self.registration)
        }
    }

    private static func registration(_ row: QueryResult.Row) -> KeptRegistration {
        KeptRegistration(
            issuer: row.text(RegistrationColumn.issuer), redirectURI: row.text(RegistrationColumn.redirectURI),
            sealed: Sealed(stored: row.bytes(RegistrationColumn.sealed)),
            usedAt: Timestamp(milliseconds: row.int(RegistrationColumn.usedAt)))
    }

    /// Locks the row that is there, so that no other broker comes in between.
    public func keepRegistration(
        _ registration: KeptRegistration, replacing old: Sealed<ClientRegistration>?
    ) async throws(StoreError) -> KeptRegistration {
        try await writer.write { transaction in
            let place: [Parameter] = [.text(registration.issuer), .text(registration.redirectURI)]
            let kept = try transaction.query(
                .keepRegistration,
                place + [
                    .bytes(registration.sealed.bytes), .int(registration.usedAt.milliseconds), .bytes(old?.bytes),
                ])
            if kept.first != nil { return registration }
            return try transaction.query(.registration, place).first.map(Self.registration) ?? registration
        }
    }

    /// Compares the sealed bytes: each sealing has others.
    public func noteUse(of registration: KeptRegistration, at now: Timestamp) async throws(StoreError) {
        try await writer.write { transaction in
            _ = try transaction.query(
                .noteRegistrationUse,
                [
                    .text(registration.issuer), .text(registration.redirectURI), .bytes(registration.sealed.bytes),
                    .int(now.milliseconds),
                ])
        }
    }

    /// Has no index to find them by: there are few, and it is seldom asked.
    public func forgetRegistrations(unusedSince moment: Timestamp) async throws(StoreError) {
        try await writer.write { transaction in
            _ = try transaction.query(.forgetRegistrations, [.int(moment.milliseconds)])
        }
    }

    /// All in one transaction.
    public func resealRegistrations(
        sealing again: @escaping @Sendable (KeptRegistration) -> Sealed<ClientRegistration>?
    ) async throws(StoreError) -> Int {
        try await writer.write { transaction in
            var moved = 0
            for kept in try transaction.query(.registrationsToReseal).rows.map(Self.registration) {
                guard let new = again(kept) else { continue }
                try transaction.query(
                    .resealRegistration, [.text(kept.issuer), .text(kept.redirectURI), .bytes(new.bytes)])
                moved += 1
            }
            return moved
        }
    }
}
