public import Broker
public import Formats
import Foundation
import GRDB
public import Secrets

/// Clients that the broker registered by itself.
extension SQLiteStore {
    private enum RegistrationColumn: Int32, Columns {
        case issuer, redirectURI, sealed
        /// The column has the name of its first value.
        case usedAt

        var sql: String { self == .usedAt ? "registered_at" : name }
    }

    private static let find =
        "SELECT \(RegistrationColumn.list) FROM client_registrations WHERE issuer = ? AND redirect_uri = ?"

    /// Sees all that was committed before.
    public func registration(issuer: String, redirectURI: String) async throws(StoreError) -> KeptRegistration? {
        try await reader.read { db in
            try db.first(Self.find, .text(issuer), .text(redirectURI), read: Self.registration)
        }
    }

    private static func registration(_ row: SQLRow) -> KeptRegistration {
        KeptRegistration(
            issuer: row.text(RegistrationColumn.issuer), redirectURI: row.text(RegistrationColumn.redirectURI),
            sealed: Sealed(stored: row.blob(RegistrationColumn.sealed)),
            usedAt: Timestamp(milliseconds: row.integer(RegistrationColumn.usedAt)))
    }

    /// Looks and writes in one transaction, so that no other broker comes in between.
    public func keepRegistration(
        _ registration: KeptRegistration, replacing old: Sealed<ClientRegistration>?
    ) async throws(StoreError) -> KeptRegistration {
        try await writer.write { transaction in
            let kept = try transaction.db.first(
                Self.find, .text(registration.issuer), .text(registration.redirectURI), read: Self.registration)
            if let kept, kept.sealed != old { return kept }
            try Self.delete(registration.issuer, registration.redirectURI, in: transaction.db)
            try transaction.db.run(
                """
                INSERT OR FAIL INTO client_registrations (\(RegistrationColumn.list)) VALUES (?, ?, ?, ?)
                """, .text(registration.issuer), .text(registration.redirectURI), .blob(registration.sealed.bytes),
                .integer(registration.usedAt.milliseconds))
            return registration
        }
    }

    /// Compares the sealed bytes: each sealing has others.
    public func noteUse(of registration: KeptRegistration, at now: Timestamp) async throws(StoreError) {
        try await writer.write { transaction in
            try transaction.db.run(
                """
                UPDATE client_registrations SET \(RegistrationColumn.usedAt.sql) = ?
                WHERE issuer = ? AND redirect_uri = ? AND sealed = ?
                """, .integer(now.milliseconds), .text(registration.issuer), .text(registration.redirectURI),
                .blob(registration.sealed.bytes))
        }
    }

    /// Has no index to find them by: there are few, and it is seldom asked.
    public func forgetRegistrations(unusedSince moment: Timestamp) async throws(StoreError) {
        try await writer.write { transaction in
            try transaction.db.run(
                "DELETE FROM client_registrations WHERE \(RegistrationColumn.usedAt.sql) <= ?",
                .integer(moment.milliseconds))
        }
    }

    private static func delete(_ issuer: String, _ redirectURI: String, in db: Database) throws {
        try db.run(
            "DELETE FROM client_registrations WHERE issuer = ? AND redirect_uri = ?", .text(issuer),
            .text(redirectURI))
    }

    /// All in one transaction.
    public func resealRegistrations(
        sealing again: @escaping @Sendable (KeptRegistration) -> Sealed<ClientRegistration>?
    ) async throws(StoreError) -> Int {
        try await writer.write { transaction in
            let db = transaction.db
            var moved = 0
            let rows = try Row.fetchAll(db, sql: "SELECT \(RegistrationColumn.list) FROM client_registrations")
            for row in rows {
                guard let issuer: String = row[RegistrationColumn.issuer],
                    let redirectURI: String = row[RegistrationColumn.redirectURI],
                    let usedAt: Int64 = row[RegistrationColumn.usedAt],
                    let sealed: Sealed<ClientRegistration> = row.sealed(RegistrationColumn.sealed),
                    let new = again(
                        KeptRegistration(
                            issuer: issuer, redirectURI: redirectURI, sealed: sealed,
                            usedAt: Timestamp(milliseconds: usedAt)))
                else { continue }
                try db.run(
                    "UPDATE OR FAIL client_registrations SET sealed = ? WHERE issuer = ? AND redirect_uri = ?",
                    .blob(new.bytes), .text(issuer), .text(redirectURI))
                moved += 1
            }
            return moved
        }
    }
}
