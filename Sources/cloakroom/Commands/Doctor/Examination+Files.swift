import Daemon
import Foundation
import SQLiteStore
import Secrets
import StoreParts

extension Examination {
    /// The files that hold a secret: a finding for each that others than the broker can read.
    func secretFiles() -> [Finding] {
        let subject = { (file: SecretFile) in file.setting == "masterKeyFile" ? "master keys" : "secret files" }
        var findings = configuration.secretFiles.compactMap { file in
            file.fault.map { Finding.bad(subject(file), $0, hint: SecretFile.hint) }
        }
        if let file = configuration.masterKeyFile?.file.path, !findings.contains(where: { $0.subject == "master keys" })
        {
            findings.append(
                .good("master keys", "\(configuration.keyRing.ids.count) in \(file), which nobody else can read"))
        }
        return findings
    }

    /// The database, its trail and the disk under it. An installation that was never started has none yet.
    func database() -> [Finding] {
        if case .postgres(let settings) = configuration.store { return server(settings) }
        guard let path = configuration.storePath else { return [] }
        var findings: [Finding] = []
        do throws(OpeningError) {
            try SQLiteStore.inspect(path: path)
            if FileManager.default.fileExists(atPath: path) {
                findings += Self.condition(try SQLiteStore.condition(path: path), of: path)
                findings += Self.auditTrail(
                    try SQLiteStore.verifyAuditTrail(path: path, keyRing: configuration.keyRing))
            } else {
                findings.append(.good("database", "\(path) is created at the first start"))
            }
        } catch {
            findings.append(.bad("database", error.line, hint: error.hint))
        }
        if let free = Self.freeBytes(path) {
            let words = "\(free >> 20) MiB are free"
            findings.append(
                free > 512 << 20 ? .good("disk", words) : .bad("disk", words, hint: "make room, or move the database"))
        }
        return findings
    }

    private static func condition(_ condition: SQLiteStore.Condition, of path: String) -> [Finding] {
        var findings: [Finding] = [
            condition.finding == "ok"
                ? .good("database", "\(path) is sound")
                : .bad("database", condition.finding, hint: "restore a backup: cloakroom restore FILE")
        ]
        if condition.fileMode & 0o077 != 0 {
            findings.append(.bad("database", "others can read \(path)", hint: "chmod 600 \(path)"))
        }
        // SQLite takes it in at a thousand pages; it only grows where a reader never ends.
        if condition.writeAheadLogBytes > 256 << 20 {
            findings.append(
                .bad(
                    "database", "its write-ahead log has \(condition.writeAheadLogBytes >> 20) MiB",
                    hint: "stop programs that keep it open; a running broker then merges it"))
        }
        return findings
    }

    static func auditTrail(_ verification: AuditVerification) -> [Finding] {
        switch verification {
        case .sound(let events, _, _): [.good("audit trail", "\(counted(events, "event")), whole")]
        case .broken(let sequence, let finding):
            [
                .bad(
                    "audit trail", "broken at event \(sequence): \(finding)",
                    hint: "keep the file, and find out who wrote to it; then begin a new trail: cloakroom audit reset")
            ]
        }
    }

    private static func freeBytes(_ path: String) -> Int? {
        let folder = (path as NSString).deletingLastPathComponent
        let found = try? FileManager.default.attributesOfFileSystem(forPath: folder.isEmpty ? "." : folder)
        return found?[.systemFreeSize] as? Int
    }
}
