import ArgumentParser
import Daemon
import Dispatch
import Formats
import Foundation
import PostgresStore
import SQLiteStore
import Secrets
import StoreParts

extension StoreCommand {
    /// Moves an installation from its file to a server: from then on brokers start on that one alone.
    struct Copy: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Move an SQLite database to an empty PostgreSQL database. No broker must run.",
            discussion: """
                Copies the audit trail, tenants' clients, clients that the broker registered, revocations, flows, and \
                credential keys, spent ones too. No broker starts on the file from then on, nor on the server before \
                the copy is finished and compared. A copy that was interrupted goes on with the same command.
                """)

        @Option(name: .long, help: "The file, as storage.url names it: sqlite:PATH.")
        var from: String

        @Option(
            name: .long,
            help: "The database, as storage.url names it: postgres://user@host/database, without a password."
        )
        var to: String

        @Option(name: .long, help: "A file with the user's password at PostgreSQL; else PGPASSFILE or ~/.pgpass.")
        var passwordFile: String?

        @OptionGroup var options: ConfigurationOption

        @Flag(name: .long, help: "Print JSON, for programs.")
        var json = false

        @Flag(name: .long, help: "Do not ask for confirmation.")
        var yes = false

        func validate() throws {
            _ = try path()
            _ = try settings()
        }

        private func path() throws(ValidationError) -> String {
            let path = from.hasPrefix("sqlite:") ? String(from.dropFirst("sqlite:".count)) : ""
            guard !path.isEmpty, !path.hasPrefix(":"), !path.hasPrefix("file:") else {
                throw ValidationError("--from takes sqlite:PATH, a file")
            }
            return path
        }

        /// Says nothing of the address itself: it may hold a password.
        private func settings() throws(ValidationError) -> PostgresSettings {
            do throws(PostgresAddress.Fault) {
                return PostgresSettings(try PostgresAddress(to), passwordFile: passwordFile)
            } catch {
                throw ValidationError("--to: found \(error.found), want \(Self.renamed(error.wanted))")
            }
        }

        func run() async throws {
            let (path, settings) = (try path(), try settings())
            let configuration = try ConfigurationReader.configuration(file: options.config)
            warn(settings)
            let ring = configuration.keyRing
            let source = try await blocking {
                try Self.naming(settings.address) { try MovingDatabase(path: path, keyRing: ring) }
            }
            try confirm(source, at: path, to: settings.address)
            let step = Locked(CopyStep.provingSource)
            let report = try await Progress.showing(step.withLock { $0.words }) {
                try await blocking {
                    try Self.naming(settings.address) {
                        try PostgresStore.copy(source, to: settings, keyRing: ring) { now in step.withLock { $0 = now }
                        }
                    }
                }
            }
            show(report, settings.address)
        }

        /// One that goes on was confirmed when it began.
        private func confirm(_ source: MovingDatabase, at path: String, to target: PostgresAddress) throws {
            guard try !yes && !Self.naming(target, { try source.isMarked }) else { return }
            try Confirmation.ask(
                """
                This moves \(path.visible) to the database \(target.description.visible).
                No broker starts on the file from then on.
                """)
        }

        private func warn(_ settings: PostgresSettings) {
            let file = passwordFile.map { SecretFile(setting: "--password-file", path: $0) }
            let warnings = [settings.address.warning?.replacing("storage.url", with: "--to"), file?.fault]
            for warning in warnings.compactMap(\.self) { Terminal.write("warning: \(warning)".visible) }
        }

        private static func naming<Value>(_ target: PostgresAddress, _ work: () throws -> Value) throws -> Value {
            do {
                return try work()
            } catch let error as OpeningError {
                throw Refusal("--from: \(error.words)", hint: error.hint)
            } catch let error as PostgresOpeningError {
                let hint = if case .unreachable = error { Self.goesOn } else { Self.renamed(error.hint) }
                throw Refusal("--to: \(error.words(of: target))", hint: hint)
            } catch let error as CopyError {
                throw Refusal(error.words(target), hint: error.hint)
            }
        }

        /// Names this command's options in place of the settings.
        private static func renamed(_ words: String) -> String {
            words.replacing("storage.passwordFile", with: "--password-file").replacing("storage.url", with: "--to")
        }

        private static let goesOn =
            "see whether the server runs and takes this user; then the same command begins, or goes on where it stopped"

        private func show(_ report: CopyReport, _ target: PostgresAddress) {
            if json { return Terminal.json(report.json(from: from, to: target.description)) }
            Terminal.table(
                [["KIND", "ROWS"]]
                    + CopiedKind.allCases.map { [$0.words, String(report.counts[$0] ?? 0)] })
            switch report.trail {
            case .sound(let events, let first, let last)? where events > 0:
                Terminal.result(
                    "both sides have as many of each, and the audit trail is whole on both: events \(first) to \(last)")
            case .sound?, .broken?: Terminal.result("both sides have as many of each; the audit trail holds no event")
            case nil: Terminal.result("this was copied before; nothing was looked at again")
            }
            Terminal.write("hint: have storage.url name \(target.description.visible), and start the brokers")
        }
    }
}

/// Runs what waits for disks and servers, away from the threads that all tasks share.
func blocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result(catching: work)) }
    }
}

extension CopyReport {
    func json(from source: String, to target: String) -> [String: JSONValue] {
        var rows: [String: JSONValue] = [:]
        for (kind, count) in counts { rows[kind.rawValue] = .number(Double(count)) }
        var members: [String: JSONValue] = [
            "from": .string(source), "to": .string(target), "rows": .object(rows), "compared": .bool(trail != nil),
        ]
        if case .sound(let events, let first, let last)? = trail {
            members["auditTrail"] = .object([
                "events": .number(Double(events)), "first": .number(Double(first)), "last": .number(Double(last)),
            ])
        }
        return members
    }
}

extension CopiedKind {
    /// For people, in the plural.
    var words: String {
        switch self {
        case .clients: "tenants' clients"
        case .clientRegistrations: "registered clients"
        case .revocations: "revocations"
        case .flows: "flows"
        case .credentialKeys: "credential keys"
        case .spentKeys: "spent keys"
        case .auditEvents: "events"
        }
    }
}

extension CopyStep {
    var words: String {
        switch self {
        case .provingSource: "proving the audit trail of the file"
        case .copying(let kind, let count, let total): "copying \(kind.words): \(count) of \(total)"
        case .comparing: "comparing both sides"
        }
    }
}

extension CopyError {
    func words(_ target: PostgresAddress) -> String {
        let name = "the database \(target.description)"
        return switch self {
        case .targetIsUsed: "--to: \(name) is not empty, or has another copy in it"
        case .movedElsewhere: "--from: the file was moved, and \(name) is not where to, or was emptied since"
        case .targetIsOfThePast: "--to: \(name) was put back to a moment at which this copy was not finished"
        case .targetIsBusy: "--to: another copy into \(name) is running"
        case .broken(let sequence, let finding): "--from: the audit trail is broken at event \(sequence): \(finding)"
        case .numbersTooLarge: "--from: the audit trail has numbers above \(UInt32.max)"
        case .malformedRow(let kind):
            "--from: a row of the \(kind.words) is not of the form that this program writes"
        case .different(let kind, let source, let target):
            "--to: \(name) has \(target) \(kind.words) of \(source); no broker starts on it"
        case .copiedTrail(let finding): "--to: the copied audit trail is not whole: \(finding); no broker starts on it"
        }
    }

    var hint: String {
        switch self {
        case .targetIsUsed: "name a new database"
        case .movedElsewhere:
            "name that database; `cloakroom store reopen` serves from the file again, and ends what waits in it"
        case .targetIsOfThePast:
            """
            put it back to a later moment and run `cloakroom store reopen`; or make a new one, `cloakroom store reopen` the \
            file, and copy again
            """
        case .targetIsBusy: "let it finish"
        case .broken, .numbersTooLarge: "`cloakroom audit reset` begins a new trail"
        case .malformedRow: "something else wrote to the file: see Docs/Operate.md, or restore a backup"
        case .different, .copiedTrail:
            "something else wrote to the database: make a new one, `cloakroom store reopen` the file, and copy again"
        }
    }
}
