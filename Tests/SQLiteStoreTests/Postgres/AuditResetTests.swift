import Broker
import Formats
import Foundation
import Secrets
import StoreParts
import Testing

@testable import PostgresStore

/// A new audit trail after a broken one, on a server.
@Suite struct AuditResetTests {
    private let database = PostgresDatabase()

    private func verified() throws -> AuditVerification {
        try PostgresStore.verifyAuditTrail(try database.settings(), keyRing: KeyRing(Installation.firstKey))
    }

    private func change(_ sql: String) throws { _ = try database.value("WITH x AS (\(sql) RETURNING 1) SELECT 1") }

    private func reset() throws -> [String] {
        try PostgresStore.resetAuditTrail(
            try database.settings(), keyRing: KeyRing(Installation.firstKey),
            recording: Event(.auditBroken, at: Samples.now, by: Requester(subject: "ops"), detail: "found\0on Monday"))
    }

    @Test(arguments: [
        "UPDATE audit_events SET tenant = 'evil' WHERE sequence = 2 AND chain = 1",
        "UPDATE audit_trail SET sealed_key = '\\x00'", "DELETE FROM audit_trail", "DELETE FROM audit_chains",
        "UPDATE audit_chains SET chain = 4000000000 WHERE chain = 2",
    ])
    func `a new trail begins, the broken one stays, and numbers go on above it`(_ sql: String) async throws {
        let stores = [try database.open(), try database.open()]
        for store in stores { try await store.keep(try Samples.flow(), .random()) }
        _ = try await stores[0].sweep(at: Samples.now, limit: 10)
        for store in stores { await store.close() }
        try change(sql)
        let evidence = try reset()
        #expect(evidence.map { $0.prefix { $0 != "u" || $0 == "_" } }.count == 3)
        let events = try #require(evidence.first { $0.hasPrefix("audit_events_until_") })
        #expect(try database.value("SELECT count(*) FROM \(events)") == "4")
        guard case .sound(1, let first, let last) = try verified() else {
            Issue.record("\(try verified())")
            return
        }
        #expect(first == last && EventNumber(first).chain > 2 && first < 1 << 53)
        let store = try database.open()
        try await store.keep(try Samples.flow(), .random())
        let found = try await store.events(EventFilter(), before: nil, limit: 10).events
        #expect(found.count == 3 && found.last?.event.detail == "found\u{FFFD}on Monday")
        _ = try await store.sweep(at: Samples.now, limit: 10)
        await store.close()
        guard case .sound(3, _, _) = try verified() else {
            Issue.record("\(try verified())")
            return
        }
        // Nothing of the old one fits into the new one.
        try change("INSERT INTO audit_events SELECT * FROM \(events) WHERE chain = 1")
        guard case .broken = try verified() else {
            Issue.record("not found")
            return
        }
    }

    @Test func `nothing is reset while a broker has the database open`() async throws {
        let store = try database.open()
        try await store.keep(try Samples.flow(), .random())
        #expect(throws: PostgresOpeningError.inUse) { try reset() }
        try await store.keep(try Samples.flow(), .random())
        await store.close()
        _ = try reset()
    }

    @Test func `a role that does not own the tables resets nothing`() async throws {
        await (try database.open()).close()
        let role = "service_\(UUID().uuidString.prefix(8).lowercased())"
        let settings = try database.settings()
        let connection = try PostgresStore.connection(settings)
        try connection.run(setup: "CREATE ROLE \(role) LOGIN; \(Schema.grants(to: role))")
        var address = "postgres://\(role)@"
        address += settings.address.hosts[0].name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        address += "/\(settings.address.database)"
        let service = PostgresSettings(try PostgresAddress(address))
        #expect(throws: PostgresOpeningError.notOwner) {
            try PostgresStore.resetAuditTrail(
                service, keyRing: KeyRing(Installation.firstKey), recording: Event(.auditBroken, at: Samples.now))
        }
        #expect(try verified() == .sound(events: 0, first: 1, last: 0))
    }
}
