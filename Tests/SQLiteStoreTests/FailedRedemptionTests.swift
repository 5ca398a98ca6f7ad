import Broker
import Foundation
import GRDB
import Secrets
import StoreParts
import Testing

@testable import SQLiteStore

/// Failed redemptions: nobody can tell them apart, and nobody fills the disk with them.
@Suite struct FailedRedemptionTests {
    private let folder: TemporaryFolder
    private let store: SQLiteStore

    init() throws {
        folder = try TemporaryFolder()
        // Its time stands still, so that no supply fills again on a slow machine.
        let start = ContinuousClock.now
        store = try SQLiteStore(
            path: folder.database, keyRing: try KeyRing(Installation.firstKey), refusals: RefusalBudget(now: { start }))
    }

    // MARK: one way for all

    enum Kind: CaseIterable {
        case unknown, spent, spentOften, expired, otherTenant, wrongVerifier, missingVerifier, revoked, destroyed
    }

    /// Compared by what is done, not by a clock: the same statements, none of which writes, in a store that is the same
    /// otherwise.
    @Test(arguments: Kind.allCases)
    func `every failed redemption does the same in the database`(_ kind: Kind) async throws {
        // Before and after it in the order of digests.
        try await store.fill(Samples.keys(20))
        let failing = try await redemption(kind)
        await store.failures.flush()
        let log = Log()
        let logSize = try size("-wal")
        let before = try await store.writer.write { transaction in
            transaction.db.trace { log.append("\($0)") }
            return transaction.db.totalChangesCount
        }
        log.clear()
        let outcome = try await store.redeem(failing)
        #expect(outcome.name == (kind == .spent || kind == .spentOften ? "reused" : "refused"))
        let statements = log.all
        #expect(statements.count == 3)
        #expect(statements.first == "BEGIN IMMEDIATE")
        #expect(statements.dropFirst().first?.hasPrefix("SELECT key_digest, tenant, source_type, id, status") == true)
        #expect(statements.last == "COMMIT")
        #expect(try size("-wal") == logSize)
        // What is kept of it is kept apart, with a commit in any case.
        await store.failures.flush()
        #expect(try size("-wal") > logSize)
        #expect(try await store.writer.write { $0.db.totalChangesCount } > before)
    }

    @Test func `a failure is in the trail within a second, though nobody asks`() async throws {
        _ = try await store.redeem(.random())
        for _ in 0..<100 where try rows() == 0 { try await Task.sleep(for: .milliseconds(50)) }
        #expect(try rows() == 1)
    }

    @Test func `a store that closes keeps what it was told last`() async throws {
        _ = try await store.redeem(.random())
        await store.close()
        #expect(try rows() == 1)
    }

    // MARK: spent keys

    @Test func `of a spent key the first ten presentations are in the trail, also over restarts and brokers`()
        async throws
    {
        let (key, other) = (CredentialKey.random(), CredentialKey.random())
        for key in [key, other] {
            try await store.keep(try Samples.flow(), key)
            #expect(try await store.redeem(key).name == "redeemed")
        }
        let second = try SQLiteStore(path: folder.database)
        for _ in 0..<4 {
            #expect(try await store.redeem(key).name == "reused")
            #expect(try await second.redeem(key).name == "reused")
        }
        await store.close()
        let third = try SQLiteStore(path: folder.database)
        for _ in 0..<2000 { #expect(try await third.redeem(key).name == "reused") }
        #expect(try await third.redeem(other).name == "reused")
        await second.close()
        let events = try await third.events(EventFilter(kind: .credentialKeyReused), before: nil, limit: 100).events
        #expect(events.count == 11)
        #expect(Set(events.map(\.event.flow)).count == 2)
    }

    @Test func `of a key that nobody can open the first ten presentations are in the trail, and it stays good`()
        async throws
    {
        let key = CredentialKey.random()
        let flow = try await store.keep(try Samples.flow(), key)
        let redemption = Redemption(
            keyDigest: key.digest, tenant: try Samples.tenant(), challenge: nil, now: Samples.now)
        let missing = try #require(KeyRing.KeyID("k0"))
        for _ in 0..<30 {
            let outcome = try await store.redeem(redemption) { _, _ throws(OpenError) in throw .unknownKey(missing) }
            #expect(outcome.name == "unreadable")
        }
        await store.failures.flush()
        let events = try await store.events(EventFilter(), before: nil, limit: 100).events.map(\.event)
        #expect(events.count { $0.kind == .credentialKeyUnreadable } == 10)
        #expect(!events.contains { $0.kind == .credentialKeyRedeemed })
        let event = try #require(events.first)
        #expect(event.flow == flow.id && event.detail == "the master key \"k0\" is not in the file")
        // Not spent, and the alarm of a spent key keeps its room.
        #expect(try await store.redeem(key).name == "redeemed")
        #expect(try await store.redeem(key).name == "reused")
        await store.failures.flush()
        let alarms = try await store.events(EventFilter(kind: .credentialKeyReused), before: nil, limit: 100).events
        #expect(alarms.count == 1)
    }

    // MARK: refusals

    @Test func `bursts of refusals take no more than the budget, and one event counts the rest`() async throws {
        let store = store
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<1500 {
                // Fewer at once than the store lets wait.
                if number >= 64 { _ = try await group.next() }
                group.addTask {
                    let outcome = try await store.redeem(Self.unknown("192.0.2.\(number % 2)"))
                    #expect(outcome.name == "refused")
                }
            }
            try await group.waitForAll()
        }
        await store.failures.flush()
        _ = try await store.sweep(at: Samples.now, limit: 10)
        let events = try await store.events(EventFilter(kind: .credentialKeyRefused), before: nil, limit: 1000).events
        let leftOut = events.compactMap(\.event.detail).compactMap { detail -> Int? in
            #expect(detail.hasSuffix(" more were not recorded"))
            return Int(detail.prefix { $0 != " " })
        }
        #expect(events.count - leftOut.count == 20)
        #expect(leftOut.reduce(0, +) == 1480)
        #expect(leftOut.count <= 3)
    }

    @Test func `what a broker left out is told by the next one`() async throws {
        for _ in 0..<30 { _ = try await store.redeem(Self.unknown("192.0.2.1")) }
        await store.failures.flush()
        for _ in 0..<30 { _ = try await store.redeem(Self.unknown("192.0.2.1")) }
        await store.close()
        let again = try SQLiteStore(path: folder.database)
        _ = try await again.sweep(at: Samples.now, limit: 10)
        let details = try await again.events(EventFilter(), before: nil, limit: 100).events.compactMap(\.event.detail)
        // How they fall into batches is a matter of time.
        #expect(details.count == 2)
        #expect(details.compactMap { Int($0.prefix { $0 != " " }) }.reduce(0, +) == 50)
    }

    // MARK: a store that cannot write

    @Test func `what the trail cannot take is told, and what was left out is counted later`() async throws {
        let told = Told()
        store.observe { told.keep($0) }
        let key = CredentialKey.random()
        try await store.keep(try Samples.flow(), key)
        #expect(try await store.redeem(key).name == "redeemed")
        try execute("CREATE TRIGGER refusal BEFORE UPDATE ON audit_trail BEGIN SELECT raise(ABORT, 'full'); END")
        for _ in 0..<30 { #expect(try await store.redeem(key).name == "reused") }
        for _ in 0..<30 { #expect(try await store.redeem(Self.unknown("192.0.2.1")).name == "refused") }
        await store.failures.flush()
        #expect(told.kinds.count { $0 == .credentialKeyReused } == 10)
        #expect(told.kinds.count { $0 == .credentialKeyRefused } == 10)
        #expect(told.allReasons.allSatisfy { $0.hasPrefix("the database: 1811 ") && $0.hasSuffix(": full") })
        #expect(!told.allReasons.isEmpty)
        #expect(try rows() == 3)
        try execute("DROP TRIGGER refusal")
        await store.failures.flush()
        _ = try await store.sweep(at: Samples.now, limit: 10)
        let details = try await store.events(EventFilter(), before: nil, limit: 100).events.compactMap(\.event.detail)
        #expect(details == ["20 more were not recorded"])
    }

    private static func unknown(_ address: String) throws -> Redemption {
        Redemption(
            keyDigest: CredentialKey.random().digest, tenant: try Samples.tenant(), challenge: nil, now: Samples.now,
            requester: Requester(remoteAddress: address))
    }

    // MARK: steps

    private func redemption(_ kind: Kind) async throws -> Redemption {
        let key = CredentialKey.random()
        var (tenant, challenge, now) = ("acme", Optional(Samples.challenge("v")), Samples.now)
        let flow = try Samples.flow(challenge: Samples.challenge("v"))
        if kind != .unknown { try await store.keep(flow, key) }
        switch kind {
        case .unknown: break
        case .spent, .spentOften:
            let count = kind == .spent ? 1 : 15
            for _ in 0..<count { _ = try await store.redeem(key, challenge: challenge) }
        case .expired: now = now.adding(seconds: 301)
        case .otherTenant: tenant = "other"
        case .wrongVerifier: challenge = Samples.challenge("w")
        case .missingVerifier: challenge = nil
        case .revoked, .destroyed:
            let number = try await store.revokeFlows(
                Selection(flow: flow.id), at: now, recording: Event(.revocation, at: now, detail: "test"))
            guard kind == .destroyed else { break }
            _ = try await store.destroyCredentialKeys(
                Selection(flow: flow.id), startedBefore: number, after: nil, limit: 100, by: .unknown, at: now)
        }
        return Redemption(keyDigest: key.digest, tenant: try Samples.tenant(tenant), challenge: challenge, now: now)
    }

    private func size(_ suffix: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.database + suffix)
        return try #require(attributes[.size] as? Int)
    }

    private func execute(_ sql: String) throws {
        var configuration = Configuration()
        // What was noted may be written at this moment.
        configuration.busyMode = .timeout(5)
        try DatabaseQueue(path: folder.database, configuration: configuration).write { try $0.execute(sql: sql) }
    }

    private func rows() throws -> Int {
        try DatabaseQueue(path: folder.database).read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM audit_events") ?? -1
        }
    }
}

/// Keeps the kinds of the events that an observer is told.
///
/// `@unchecked Sendable`: `lock` guards the variables.
private final class Told: @unchecked Sendable {
    private let lock = NSLock()
    private var kept: [Event.Kind] = []
    private var reasons: Set<String> = []

    var kinds: [Event.Kind] { lock.withLock { kept } }
    /// The reasons why events are not in the trail.
    var allReasons: Set<String> { lock.withLock { reasons } }

    func keep(_ event: WriterEvent) {
        switch event {
        case .recorded(let event): lock.withLock { kept.append(event.kind) }
        case .notRecorded(let event, let error):
            lock.withLock {
                kept.append(event.kind)
                reasons.insert(error.reason.description)
            }
        default: break
        }
    }
}

/// Statements that were run.
///
/// `@unchecked Sendable`: `lock` guards `kept`.
private final class Log: @unchecked Sendable {
    private let lock = NSLock()
    private var kept: [String] = []

    var all: [String] { lock.withLock { kept } }

    func append(_ line: String) { lock.withLock { kept.append(line) } }

    func clear() { lock.withLock { kept = [] } }
}
