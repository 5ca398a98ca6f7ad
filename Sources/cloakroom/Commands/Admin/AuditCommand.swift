import ArgumentParser
import Broker
import Daemon
import Formats
import Foundation
import PostgresStore
import SQLiteStore
import StoreParts

/// The audit trail. `list` asks a running broker by its admin API; `verify` and `reset` open the database and the
/// master key file themselves, on the broker's machine.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Read the audit trail, prove that it is whole, or begin a new one after a broken one.",
        subcommands: [List.self, Verify.self, Reset.self], defaultSubcommand: List.self)

    /// Lists events. `--follow` asks again every second: the admin API has no stream.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List events, the newest last.")

        @OptionGroup var admin: AdminOptions

        @Option(name: .long, help: "Only those of this tenant.")
        var tenant: String?

        @Option(name: .long, help: "Only those of this type, such as credential_key.reused.")
        var type: String?

        @Option(name: .long, help: "Not older than this: 30m, 12h, 7d, or a time such as 2027-02-16T08:00:00Z.")
        var since: String?

        @Option(name: .long, help: "At most this many events, the newest.")
        var limit = 100

        @Flag(name: .long, help: "Go on printing new events, until stopped.")
        var follow = false

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit takes a number above 0") }
            if let since, Self.milliseconds(since, now: Date()) == nil {
                throw ValidationError("--since takes 30m, 12h, 7d, or a time such as 2027-02-16T08:00:00Z")
            }
        }

        func run() async throws {
            try await admin.call { api in
                let start = since.flatMap { Self.milliseconds($0, now: Date()) }
                let events = try await Progress.showing("asking the broker") {
                    try await api.items("auditEvents", query: query(since: start), limit: limit)
                }
                if !follow {
                    if admin.json { return Terminal.json(events) }
                    return Terminal.table([Self.head] + events.reversed().map(Self.row))
                }
                var seen = SeenEvents(since: start ?? 0)
                show(seen.new(events), withHead: true)
                while true {
                    try await Task.sleep(for: .seconds(1))
                    show(try await seen.next(from: api) { query(since: $0) }, withHead: false)
                }
            }
        }

        private func query(since start: Int64?) -> [(name: String, value: String?)] {
            [("tenant", tenant), ("type", type), ("since", start.map { String($0) })]
        }

        private func show(_ events: [[String: JSONValue]], withHead: Bool) {
            for event in events where admin.json { Terminal.json(event, .line) }
            guard !admin.json, withHead || !events.isEmpty else { return }
            // Of a width that later lines keep.
            let rows = (withHead ? [Self.head] : []) + events.map(Self.row)
            for row in rows {
                Terminal.result(zip(row, Self.widths).map { Table.padded($0.visible, to: $1) }.joined(separator: "  "))
            }
        }

        private static let head = [
            "TIME", "TYPE", "TENANT", "SOURCE TYPE", "FLOW", "ACTOR", "ADDRESS", "CODE OR DETAIL",
        ]
        private static let widths = [20, 23, 16, 16, 22, 16, 15, 0]

        private static func row(_ event: [String: JSONValue]) -> [String] {
            let words = [event.text("code"), event.text("detail")].filter { !$0.isEmpty }
            return [
                event.time("time"), event.text("type"), event.text("tenant"), event.text("sourceType"),
                event.text("flow"), event.text("actor"), event.text("remoteAddress"),
                words.joined(separator: ": "),
            ]
        }

        /// A time, or one so long ago, in Unix milliseconds; `nil` where `text` is neither.
        static func milliseconds(_ text: String, now: Date) -> Int64? {
            let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
            if let last = text.last, let unit = units[last], let count = UInt32(text.dropLast()) {
                return max(0, Int64((now.timeIntervalSince1970 - Double(count) * unit) * 1000))
            }
            guard let date = try? Date(text, strategy: .iso8601) else { return nil }
            return max(0, Int64(date.timeIntervalSince1970 * 1000))
        }
    }

    /// Proves the trail by the master keys. The exit status is 1 where it is broken.
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prove that no event was altered, added or removed.",
            discussion: "Reads the database and the master key file themselves; the broker may run meanwhile.")

        @OptionGroup var options: ConfigurationOption

        func run() throws {
            let configuration = try ConfigurationReader.configuration(file: options.config)
            switch try configuration.auditVerification(progress: { Terminal.write("\(counted($0, "event")) …") }) {
            case .sound(0, _, _): Terminal.result("the audit trail is whole; it holds no event")
            case .sound(let events, let first, let last):
                Terminal.result("the audit trail is whole: \(counted(events, "event")), \(first) to \(last)")
            case .broken(let sequence, let finding):
                throw Refusal(
                    "the audit trail is broken at event \(sequence): \(finding)",
                    hint: """
                        keep the file as it is, compare with the log lines and a backup, and find out who wrote to it; \
                        then `cloakroom audit reset` begins a new trail
                        """)
            }
        }
    }

    /// Begins a new trail. Refuses while a broker has the database open, and where the trail is whole.
    struct Reset: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Begin a new audit trail after a broken one. The broker must not run.",
            discussion: """
                The broken trail is kept in a file beside the database, a copy of it without credential keys. In PostgreSQL \
                it is kept in tables of the same database; name the tables' owner by CLOAKROOM_STORAGE_URL.
                """)

        @OptionGroup var options: ConfigurationOption

        @Option(name: .long, help: "The reason; it becomes the first event of the new trail.")
        var reason: String

        @Flag(name: .long, help: "Do not ask for confirmation.")
        var yes = false

        func validate() throws {
            try AuditReason.check(reason)
        }

        func run() throws {
            let configuration = try ConfigurationReader.configuration(file: options.config)
            if case .postgres(let settings) = configuration.store { return try reset(configuration, settings) }
            let database = try configuration.database { path throws(OpeningError) in try IdleDatabase(path: path) }
            try confirm(configuration, of: database.path, keepingIn: "a file")
            let evidence = try configuration.database { _ throws(OpeningError) in
                try SQLiteStore.resetAuditTrail(
                    of: database, keyRing: configuration.keyRing, reason: reason, at: .now)
            }
            Terminal.result("a new audit trail begins; the broken one is in \(evidence)".visible)
        }

        private func reset(_ configuration: Configuration, _ settings: PostgresSettings) throws {
            try confirm(configuration, of: settings.address.description, keepingIn: "tables")
            let event = Event(
                .auditBroken, at: .now, by: Requester(subject: "cloakroom audit reset"), detail: reason)
            let evidence = try configuration.postgres(settings) { settings throws(PostgresOpeningError) in
                try PostgresStore.resetAuditTrail(settings, keyRing: configuration.keyRing, recording: event)
            }
            let tables = evidence.joined(separator: ", ")
            Terminal.result("a new audit trail begins; the broken one is in \(tables)".visible)
        }

        /// Throws where nothing is to be done, or nobody wants it.
        private func confirm(_ configuration: Configuration, of database: String, keepingIn place: String) throws {
            guard case .broken = try configuration.auditVerification() else {
                throw Refusal("the audit trail is whole: there is nothing to reset")
            }
            guard !yes else { return }
            try Confirmation.ask(
                "This begins a new audit trail in \(database.visible); the broken one is kept in \(place) beside it.")
        }
    }
}

/// The part of the trail that `--follow` has printed.
struct SeenEvents {
    /// Of each writer's chain the last one: an event's number has its chain above 32 bits.
    private var last: [Int64: Int64] = [:]
    /// The time to ask from, in Unix milliseconds. Times do not run backwards in the trail, so the broker need not look
    /// at all of it each time.
    private(set) var newest: Int64

    private let start: Int64
    private static let slack: Int64 = 10_000

    /// - Parameter since: in Unix milliseconds.
    init(since start: Int64) {
        self.start = start
        newest = start
    }

    /// Those that came since, however many, oldest first.
    ///
    /// - Parameter query: the query for events since a time, in Unix milliseconds.
    mutating func next(
        from api: AdminAPI, query: (_ start: Int64) -> [(name: String, value: String?)]
    ) async throws(Refusal) -> [[String: JSONValue]] {
        // A writer's commit may take a moment longer than another's of a later time.
        new(try await api.items("auditEvents", query: query(max(start, newest - Self.slack))))
    }

    /// Those of a page, newest first, that were not seen before: oldest first, as they are printed.
    mutating func new(_ events: [[String: JSONValue]]) -> [[String: JSONValue]] {
        let known = last
        let new = events.filter { event in
            let id = Int64(event.text("id")) ?? 0
            return id > known[id >> 32] ?? 0
        }
        for event in new {
            let id = Int64(event.text("id")) ?? 0
            last[id >> 32] = max(id, last[id >> 32] ?? 0)
        }
        if let first = new.first { newest = max(newest, first["time"]?.whole ?? newest) }
        return new.reversed()
    }
}

extension Configuration {
    /// Reads the whole audit trail and proves it. A broker may run meanwhile.
    func auditVerification(progress: (Int64) -> Void = { _ in }) throws(Refusal) -> AuditVerification {
        if case .postgres(let settings) = store {
            return try postgres(settings) { settings throws(PostgresOpeningError) in
                try PostgresStore.verifyAuditTrail(settings, keyRing: keyRing, progress: progress)
            }
        }
        return try database { path throws(OpeningError) in
            try SQLiteStore.inspect(path: path)
            return try SQLiteStore.verifyAuditTrail(path: path, keyRing: keyRing, progress: progress)
        }
    }
}
