import Broker
import Daemon
import Formats
import PostgresStore
import StoreParts

extension Examination {
    /// The PostgreSQL server, the database and its trail. One that no broker has used yet has no tables.
    func server(_ settings: PostgresSettings) -> [Finding] {
        do throws(PostgresOpeningError) {
            try PostgresStore.inspect(settings, keyRing: configuration.keyRing)
            let condition = try PostgresStore.condition(settings) { .now }
            let findings = Self.findings(on: condition, settings)
            guard condition.isMigrated else { return findings }
            return findings
                + Self.auditTrail(try PostgresStore.verifyAuditTrail(settings, keyRing: configuration.keyRing))
        } catch {
            return [.bad("database", error.words(of: settings.address), hint: error.hint)]
        }
    }

    /// One line for each fact about a server.
    static func findings(on condition: PostgresStore.Condition, _ settings: PostgresSettings) -> [Finding] {
        var findings: [Finding] = []
        let name = settings.address.description
        findings.append(
            condition.isMigrated
                ? .good("database", "\(name), PostgreSQL \(condition.version)")
                : .good("database", "\(name), PostgreSQL \(condition.version): its tables are made at the first start"))
        if !condition.undurable.isEmpty {
            findings.append(
                .bad(
                    "durability", condition.undurable.joined(separator: ", "),
                    hint: "turn it on: a crash may lose what was answered"))
        }
        if !condition.missingPrivileges.isEmpty {
            findings.append(
                .bad(
                    "privileges", "the role lacks \(condition.missingPrivileges.joined(separator: "; "))",
                    hint: "cloakroom store migrate --grant-to ROLE, as the tables' owner"))
        }
        findings += clock(condition)
        findings += standbys(condition, settings)
        if condition.freeConnections < 10 {
            findings.append(
                .bad(
                    "connections", "the server takes \(max(0, condition.freeConnections)) more of this role",
                    hint: "raise max_connections, or the role's limit: each broker takes three"))
        }
        if !settings.address.isLocal, !condition.isEncrypted {
            findings.append(
                .bad("encryption", "what passes to the server is in the clear", hint: "set sslmode=verify-full"))
        }
        return findings
    }

    private static func clock(_ condition: PostgresStore.Condition) -> [Finding] {
        guard abs(condition.clockDifference) > 2000 else { return [] }
        return [
            .bad(
                "clock", "the server's differs by \(condition.clockDifference / 1000) s from this machine's",
                hint: "let both follow a time server: expiry is told by the brokers' clocks")
        ]
    }

    private static func standbys(_ condition: PostgresStore.Condition, _ settings: PostgresSettings) -> [Finding] {
        if condition.isSynchronous { return [] }
        if settings.requiresSynchronousStandby {
            return [
                .bad(
                    "replication",
                    "the server waits for no standby, and storage.requireSynchronousStandby is set: nothing is redeemed",
                    hint: "set synchronous_standby_names")
            ]
        }
        guard condition.standbys > 0 else { return [] }
        let lag = condition.lagMilliseconds.map { ", the slowest \($0) ms behind" } ?? ""
        return [
            Finding(
                subject: "replication", level: .warn,
                words: "no standby is synchronous (\(counted(condition.standbys, "standby")) connected\(lag)): "
                    + "after a failover a key that was redeemed may be redeemed again",
                hint: "set synchronous_standby_names, and storage.requireSynchronousStandby: true")
        ]
    }
}
