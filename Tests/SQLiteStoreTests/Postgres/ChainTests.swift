import Broker
import Foundation
import Secrets
import StoreParts
import TestSupport
import Testing

@testable import PostgresStore

/// The audit trail of several writers.
@Suite struct ChainTests {
    private let database = PostgresDatabase()

    private func verified() throws -> AuditVerification {
        try PostgresStore.verifyAuditTrail(try database.settings(), keyRing: KeyRing(Installation.firstKey))
    }

    private func change(_ sql: String) throws { _ = try database.value("WITH x AS (\(sql) RETURNING 1) SELECT 1") }

    private func filled() async throws -> [PostgresStore] {
        let stores = [try database.open(), try database.open()]
        for store in stores { for _ in 0..<3 { try await store.keep(try Samples.flow(), .random()) } }
        return stores
    }

    @Test func `the trail of two writers is proven, in the order of their times`() async throws {
        let stores = try await filled()
        guard case .sound(let events, _, _) = try verified() else {
            Issue.record("\(try verified())")
            return
        }
        #expect(events == 12)
        let page = try await stores[0].events(EventFilter(), before: nil, limit: 100).events
        #expect(page.count == 12 && Set(page.map(\.sequence)).count == 12)
        var paged: [Int64] = []
        while true {
            let next = try await stores[1].events(EventFilter(), before: paged.last, limit: 5).events
            if next.isEmpty { break }
            paged += next.map(\.sequence)
        }
        #expect(paged == page.map(\.sequence))
    }

    @Test(arguments: [
        "UPDATE audit_events SET tenant = 'evil' WHERE sequence = 2 AND chain = 1",
        "UPDATE audit_events SET time = time - 1 WHERE sequence = 2 AND chain = 2",
        "DELETE FROM audit_events WHERE sequence = 6 AND chain = 1",
        "DELETE FROM audit_events WHERE sequence = 1 AND chain = 2",
        "UPDATE audit_chains SET last = 5 WHERE chain = 1",
        "UPDATE audit_chains SET start = 1 WHERE chain = 1",
        "UPDATE audit_events SET chain = 3 WHERE chain = 2",
        "DELETE FROM audit_chains WHERE chain = 2", "UPDATE audit_trail SET anchor = NULL",
    ])
    func `what was altered, removed or moved shows`(_ sql: String) async throws {
        let stores = try await filled()
        for store in stores { await store.close() }
        try change(sql)
        guard case .broken = try verified() else {
            Issue.record("not found: \(sql)")
            return
        }
    }

    @Test func `a chain that vanished with all its events shows once a sweep has seen it`() async throws {
        let stores = try await filled()
        _ = try await stores[0].sweep(at: Samples.now, limit: 10)
        await stores[1].close()
        try change("DELETE FROM audit_events WHERE chain = 2")
        try change("DELETE FROM audit_chains WHERE chain = 2")
        // The next sweep makes no new proof of what is left.
        _ = try await stores[0].sweep(at: Samples.now, limit: 10)
        await stores[0].close()
        guard case .broken = try verified() else {
            Issue.record("not found")
            return
        }
    }

    @Test func `a writer does not extend a chain that was altered beside it, and says so once`() async throws {
        let store = try database.open()
        let told = Locked<[String]>([])
        store.observe { event in
            if case .trailBroken(_, let finding) = event { told.withLock { $0.append(finding) } }
        }
        try await store.keep(try Samples.flow(), .random())
        try change("UPDATE audit_chains SET last = 1 WHERE chain = 1")
        try await store.keep(try Samples.flow(), .random())
        try await store.keep(try Samples.flow(), .random())
        #expect(told.withLock { $0.count } == 1)
        #expect(try database.value("SELECT count(*) FROM audit_events") == "2")
        // Whoever starts later tells it too, and goes on in a chain of its own.
        let other = try database.open()
        other.observe { event in
            if case .trailBroken(_, let finding) = event { told.withLock { $0.append(finding) } }
        }
        try await other.keep(try Samples.flow(), .random())
        #expect(told.withLock { $0.count } == 2)
        #expect(try database.value("SELECT count(*) FROM audit_events") == "4")
    }

    @Test func `a chain that a process left is taken by the next, and no two have one`() async throws {
        let stores = [try database.open(), try database.open()]
        for store in stores { try await store.keep(try Samples.flow(), .random()) }
        #expect(try database.value("SELECT count(*) FROM audit_chains") == "2")
        await stores[0].close()
        // The server lets go of what a connection held a moment after that has ended.
        let held = """
            SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database
            WHERE locktype = 'advisory' AND datname = current_database()
            """
        #expect(try await eventually { try database.value(held) == "1" })
        let next = try database.open()
        try await next.keep(try Samples.flow(), .random())
        #expect(try database.value("SELECT count(*) FROM audit_chains") == "2")
        guard case .sound(let events, _, _) = try verified() else {
            Issue.record("\(try verified())")
            return
        }
        #expect(events == 6)
    }

    @Test func `old events are forgotten from each chain, and what is left is proven`() async throws {
        let stores = try await filled()
        _ = try await stores[0].sweep(
            at: Samples.now, eventsSince: Samples.now.adding(seconds: 1), limit: 100)
        #expect(try database.value("SELECT count(*) FROM audit_events") == "0")
        try await stores[1].keep(try Samples.flow(), .random())
        #expect(try verified() == .sound(events: 2, first: EventNumber(2, 7).value, last: EventNumber(2, 8).value))
    }
}
