import Broker
import Foundation
import GRDB
import Secrets
import StoreParts
import Testing

@testable import SQLiteStore

/// A database of an earlier version, with a flow under way and a credential key that waits.
@Suite struct MigrationTests {
    /// The tables of version 1, as it left them.
    private static let first = """
        CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
        INSERT INTO grdb_migrations VALUES ('1 flows and credential keys');
        CREATE TABLE flows (id BLOB PRIMARY KEY NOT NULL, tenant TEXT NOT NULL, source_type TEXT NOT NULL,
            parameters TEXT NOT NULL, scopes TEXT NOT NULL, frontend_origin TEXT NOT NULL, return_url TEXT,
            exchange_challenge TEXT, master_key TEXT NOT NULL, status INTEGER NOT NULL,
            is_bound INTEGER NOT NULL DEFAULT 0, error TEXT, error_description TEXT, key_digest BLOB, sealed_key BLOB,
            key_expires_at INTEGER, expires_at INTEGER NOT NULL, sweep_at INTEGER NOT NULL,
            is_swept INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
        CREATE INDEX flows_by_sweep ON flows (sweep_at);
        CREATE INDEX flows_by_key ON flows (key_digest) WHERE key_digest IS NOT NULL;
        CREATE TABLE credential_keys (digest BLOB PRIMARY KEY NOT NULL, flow BLOB NOT NULL, tenant TEXT NOT NULL,
            source_type TEXT NOT NULL, exchange_challenge TEXT, sealed BLOB NOT NULL, expires_at INTEGER NOT NULL)
            WITHOUT ROWID;
        CREATE INDEX credential_keys_by_expiry ON credential_keys (expires_at);
        PRAGMA user_version = 1;
        PRAGMA application_id = 1668049778;
        """

    @Test func `a database of version 1 keeps its flows and credential keys`() async throws {
        let folder = try TemporaryFolder()
        let key = CredentialKey.random()
        let (waiting, done) = (FlowID(of: .random()), FlowID(of: .random()))
        let flow = """
            INSERT INTO flows (id, tenant, source_type, parameters, scopes, frontend_origin, master_key, status,
                key_digest, expires_at, sweep_at)
            VALUES (?, 'acme', 'example', '{}', '', 'https://app.example.com', 'k1', ?, ?, ?, ?)
            """
        let expiry = Samples.now.adding(seconds: 300).milliseconds
        let queue = try DatabaseQueue(path: folder.database)
        try await queue.writeWithoutTransaction { db in
            try db.execute(sql: Self.first)
            // Another broker on the file has bounds.
            try db.execute(sql: "CREATE INDEX flows_outstanding ON flows (tenant, expires_at, status) WHERE status < 2")
            try db.execute(sql: flow, arguments: [Data(waiting.bytes), 0, nil, expiry, expiry])
            try db.execute(sql: flow, arguments: [Data(done.bytes), 2, Data(key.digest.bytes), expiry, expiry])
            try db.execute(
                sql: "INSERT INTO credential_keys VALUES (?, ?, 'acme', 'example', NULL, x'010203', ?)",
                arguments: [Data(key.digest.bytes), Data(done.bytes), expiry])
        }
        try queue.close()

        let store = try SQLiteStore(path: folder.database)
        #expect(try await store.claim(waiting, at: .legacy, isBound: false, now: Samples.now)?.id == waiting)
        let listed = try await store.credentialKeys(Selection(), at: Samples.now, after: nil, limit: 10).credentialKeys
        #expect(listed.map(\.placement.flow) == [done])
        guard case .redeemed(let opened, _) = try await store.redeem(key) else {
            Issue.record("not redeemed")
            return
        }
        #expect(opened.expose { $0 } == [1, 2, 3])
        let refresh = try RefreshIdentity.sample("r0")
        #expect(
            try await store.beginRefresh(refresh, under: .sample(1), replacing: nil, at: .sample(0)) == .begun)
        await store.close()
        let names = try await DatabaseQueue(path: folder.database).read { db in
            try String.fetchSet(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")
        }
        #expect(
            names.isSuperset(of: [
                "flows_outstanding", "flows_by_key", "flows_by_sweep", "credential_keys_by_expiry",
            ]))
        #expect(
            try SQLiteStore.verifyAuditTrail(path: folder.database, keyRing: KeyRing(Installation.firstKey))
                == .sound(events: 1, first: 1, last: 1))
    }

    @Test func `a database of version 1 can be copied`() async throws {
        let folder = try TemporaryFolder()
        let queue = try DatabaseQueue(path: folder.database)
        try await queue.writeWithoutTransaction { db in try db.execute(sql: Self.first) }
        try queue.close()
        try SQLiteStore.copy(path: folder.database, to: folder.path + "/copy.db")
        #expect(folder.names == ["cloakroom.db", "copy.db"])
    }

    /// Until version 4, a revocation was told from what it covers by the clock.
    @Test func `what a revocation of version 4 covered stays revoked, and nothing else is`() async throws {
        let folder = try TemporaryFolder()
        let places = [
            Place(tenant: "acme", start: -1, isRevoked: true), Place(tenant: "acme", start: 0, isRevoked: true),
            Place(tenant: "acme", start: 1, isRevoked: false), Place(tenant: "other", start: -1, isRevoked: false),
        ]
        try Self.makeFourth(folder.database, places)
        let store = try SQLiteStore(path: folder.database)
        for place in places {
            let claimed = try await store.claim(place.waiting, at: .legacy, isBound: false, now: Samples.now)
            #expect((claimed == nil) == place.isRevoked)
            let outcome = try await store.redeem(place.key, tenant: place.tenant)
            #expect(outcome.name == (place.isRevoked ? "refused" : "redeemed"))
        }
        await store.close()
        let credentialKeys = try await DatabaseQueue(path: folder.database).read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM credential_keys")
        }
        #expect(credentialKeys == 0)
    }

    /// A flow that waits for its callback and a key that waits for its redemption, of one tenant and one time.
    private struct Place {
        let waiting = FlowID(of: .random())
        let done = FlowID(of: .random())
        let key = CredentialKey.random()
        let tenant: String
        /// Against the revocation's time.
        let start: Int64
        let isRevoked: Bool
    }

    /// A database of version 4 with an empty trail and a revocation of the tenant `acme`.
    private static func makeFourth(_ path: String, _ places: [Place]) throws {
        let ring = try KeyRing(Installation.firstKey)
        let key = SecretBytes(Random.bytes(32))
        let start = AuditTrail.Link.start
        let proof = HMACSHA256.code(of: Array("last 0 ".utf8) + start.digest, key: key)
        let expiry = Samples.now.adding(seconds: 300).milliseconds
        let queue = try DatabaseQueue(path: path)
        try Schema.migrator.migrate(queue, upTo: "4 redirect addresses of their own")
        try queue.write { db in
            try db.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
            try db.execute(
                sql: "INSERT INTO audit_trail VALUES (1, ?, 0, ?, ?, 0, ?, ?)",
                arguments: [
                    Data(AuditKey.seal(key, ring)), Data(start.digest), Data(proof), Data(start.digest),
                    Data(AuditHead.proof(ofStart: start, key)),
                ])
            try db.execute(
                sql: "INSERT INTO revocations (tenant, time) VALUES ('acme', ?)",
                arguments: [Samples.now.milliseconds])
            for place in places {
                let startedAt = Samples.now.milliseconds + place.start
                for (flow, status, digest) in [
                    (place.waiting, 0, nil), (place.done, 2, Data(place.key.digest.bytes)),
                ] as [(FlowID, Int, Data?)] {
                    try db.execute(
                        sql: """
                            INSERT INTO flows (id, tenant, source_type, parameters, scopes, frontend_origin, master_key,
                                status, key_digest, expires_at, sweep_at, created_at)
                            VALUES (?, ?, 'example', '{}', '', 'https://app.example.com', 'k1', ?, ?, ?, ?, ?)
                            """,
                        arguments: [Data(flow.bytes), place.tenant, status, digest, expiry, expiry, startedAt])
                }
                // Made after the revocation: its flow's start decides.
                try db.execute(
                    sql: """
                        INSERT INTO credential_keys (digest, flow, tenant, source_type, sealed, expires_at, created_at,
                            flow_created_at)
                        VALUES (?, ?, ?, 'example', x'010203', ?, ?, ?)
                        """,
                    arguments: [
                        Data(place.key.digest.bytes), Data(place.done.bytes), place.tenant, expiry, startedAt + 10,
                        startedAt,
                    ])
            }
        }
        try queue.close()
    }

    @Test func `what was under way in version 1 can be revoked`() async throws {
        let folder = try TemporaryFolder()
        let store = try SQLiteStore(path: folder.database)
        let flow = try Samples.flow()
        try await store.start(flow)
        try await DatabaseQueue(path: folder.database).write { try $0.execute(sql: "UPDATE flows SET created_at = 0") }
        _ = try await store.revokeFlows(
            Selection(), at: Samples.now, recording: Event(.revocation, at: Samples.now, detail: "test"))
        #expect(try await store.claim(flow.id, isBound: false, at: Samples.now) == nil)
    }
}
