import ArgumentParser
import Broker
import CurlTransport
import Foundation
import SQLiteStore
import Secrets

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check an installation: files, database, clock, public address, and each provider.",
        discussion: "Changes nothing. Exit status 0 where nothing has to be done, else 1.")

    @OptionGroup var options: ConfigurationOption

    @Flag(name: .long, help: "Print JSON, for programs.")
    var json = false

    func run() async throws {
        let configuration = try await ConfigurationReader.configuration(file: options.config)
        let examination = Examination(configuration)
        let findings = try await Progress.showing("examining") { await examination.findings() }
        if json {
            let items = findings.map { finding in
                JSONValue.object([
                    "subject": .string(finding.subject), "ok": .bool(finding.level != .fail),
                    "level": .string(finding.level.rawValue), "finding": .string(finding.words),
                    "hint": finding.hint.map(JSONValue.string) ?? .null,
                ])
            }
            Terminal.result(.array(items))
        } else {
            for finding in findings {
                Terminal.result("\(finding.level.mark)  \(finding.subject): \(finding.words)".visible)
                if let hint = finding.hint { Terminal.result("      hint: \(hint)".visible) }
            }
        }
        if findings.contains(where: { $0.level == .fail }) { throw ExitCode(1) }
    }
}

/// One line of an examination.
struct Finding: Sendable {
    enum Level: String, Sendable {
        case ok
        /// Allowed, and perhaps meant.
        case warn
        case fail

        /// Of one width, before lines for people.
        var mark: String {
            switch self {
            case .ok: "ok  "
            case .warn: "warn"
            case .fail: "FAIL"
            }
        }
    }

    let subject: String
    let level: Level
    let words: String
    var hint: String?

    static func good(_ subject: String, _ words: String) -> Finding {
        Finding(subject: subject, level: .ok, words: words)
    }

    static func bad(_ subject: String, _ words: String, hint: String) -> Finding {
        Finding(subject: subject, level: .fail, words: words, hint: hint)
    }
}

/// Looks at everything that an installation rests on.
struct Examination: Sendable {
    private let configuration: Configuration

    init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    func findings() async -> [Finding] {
        var findings = [
            Finding.good(
                "configuration", "\(configuration.catalog.sourceTypes.count) source types, no setting is wrong")
        ]
        // Their own words say what to do, where something is.
        findings += configuration.advice.map { Finding(subject: "configuration", level: .warn, words: $0) }
        findings += secretFiles()
        findings += database()
        let transport = CurlTransport(configuration: configuration.transport)
        defer { transport.shutdown() }
        findings.append(await wayIn())
        findings += configuration.registrations.map { address, sourceTypes in
            .good(
                "redirect address",
                "\(address) is to be registered for \(sourceTypes.map(\.description).joined(separator: ", "))")
        }
        findings += await callerKeys(transport)
        findings += await providers(transport)
        if let tracing = configuration.tracing { findings.append(await collector(tracing)) }
        return findings
    }

    // MARK: files

    private func secretFiles() -> [Finding] {
        let subject = { (file: SecretFile) in file.setting == "masterKeyFile" ? "master keys" : "secret files" }
        var findings = configuration.secretFiles.compactMap { file in
            file.fault.map { Finding.bad(subject(file), $0, hint: SecretFile.hint) }
        }
        if let file = configuration.masterKeyFile, !findings.contains(where: { $0.subject == "master keys" }) {
            findings.append(
                .good("master keys", "\(configuration.keyRing.ids.count) in \(file), which nobody else can read"))
        }
        return findings
    }

    private func database() -> [Finding] {
        let path = configuration.storePath
        var findings: [Finding] = []
        do throws(OpeningError) {
            try SQLiteStore.inspect(path: path)
            if FileManager.default.fileExists(atPath: path) {
                let condition = try SQLiteStore.condition(path: path)
                if condition.finding == "ok" {
                    findings.append(.good("database", "\(path) is sound"))
                } else {
                    findings.append(
                        .bad("database", condition.finding, hint: "restore a backup: cloakroom restore FILE"))
                }
                if condition.fileMode & 0o077 != 0 {
                    findings.append(
                        .bad("database", "others can read \(path)", hint: "chmod 600 \(path)"))
                }
                if condition.writeAheadLogBytes > 256 << 20 {
                    findings.append(
                        .bad(
                            "database", "its write-ahead log has \(condition.writeAheadLogBytes >> 20) MiB",
                            hint: "stop programs that keep it open; a running broker then merges it"))
                }
                findings.append(contentsOf: try auditTrail(path))
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

    private func auditTrail(_ path: String) throws(OpeningError) -> [Finding] {
        switch try SQLiteStore.verifyAuditTrail(path: path, keyRing: configuration.keyRing) {
        case .sound(let events, _, _): [.good("audit trail", "\(events) events, whole")]
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

    // MARK: the network

    /// The broker as browsers reach it.
    private func wayIn() async -> Finding {
        let url = configuration.broker.publicURL.text
        var settings = configuration.transport
        settings.allowPrivateAddresses = true
        let transport = CurlTransport(configuration: settings)
        defer { transport.shutdown() }
        let response: ProviderResponse
        do {
            response = try await transport.send(ProviderRequest(method: .get, url: url + "/healthz"))
        } catch {
            return .bad(
                "public address", "\(url) does not answer: \(error.rawValue)",
                hint: "start the broker, and see the proxy, its certificate and the name's address")
        }
        guard response.status == 200, response.header("x-request-id") != nil else {
            return .bad(
                "public address", "\(url)/healthz answers \(response.status), which is not the answer of a broker",
                hint: "let the proxy pass everything under \(url) to the broker")
        }
        return .good("public address", "\(url) is reached")
    }

    private func callerKeys(_ transport: CurlTransport) async -> [Finding] {
        guard case .address(let url) = configuration.callerKeys else { return [.good("callers' keys", "from a file")] }
        do {
            let response = try await transport.send(ProviderRequest(method: .get, url: url))
            guard response.status == 200 else {
                return [.bad("callers' keys", "\(url) answers \(response.status)", hint: "see auth.jwksURL")]
            }
            return [Finding.good("callers' keys", "\(url) answers"), Self.clock(response, url)].compactMap(\.self)
        } catch {
            return [
                .bad(
                    "callers' keys", "\(url) does not answer: \(error.rawValue)",
                    hint: "see auth.jwksURL and the network")
            ]
        }
    }

    /// Sent no span at all, which OTLP's collectors take.
    private func collector(_ tracing: Configuration.Tracing) async -> Finding {
        let transport = SpanExporter.transport()
        defer { transport.shutdown() }
        let hint = "see tracing.endpoint, and whether the collector takes OTLP over HTTP in JSON"
        do {
            let response = try await transport.send(
                SpanExporter.request(to: tracing, Array(#"{"resourceSpans":[]}"#.utf8)))
            guard (200..<300).contains(response.status) else {
                return .bad("collector", "\(tracing.endpoint) answers \(response.status)", hint: hint)
            }
            return .good("collector", "\(tracing.endpoint) accepts spans")
        } catch {
            return .bad("collector", "\(tracing.endpoint) does not answer: \(error.rawValue)", hint: hint)
        }
    }

    /// Each configured provider's token endpoint: any answer over sound TLS will do.
    private func providers(_ transport: CurlTransport) async -> [Finding] {
        var origins: [String: String] = [:]
        for sourceType in configuration.catalog.sourceTypes {
            guard let profile = sourceType.oauth, configuration.isConfigured(sourceType),
                let client = configuration.client(for: sourceType), let url = Self.tokenURL(profile, client),
                let origin = StrictURL(url)?.origin.description
            else { continue }
            origins[origin] = url
        }
        return await withTaskGroup { group in
            for (origin, url) in origins {
                group.addTask { await Self.provider(origin, url, transport) }
            }
            var findings: [(String, [Finding], Finding?)] = []
            for await finding in group { findings.append(finding) }
            findings.sort { $0.0 < $1.0 }
            // One word about the clock is enough.
            return findings.flatMap(\.1) + findings.compactMap(\.2).prefix(1)
        }
    }

    /// The token endpoint where no caller's value is in it; the operator's may be.
    private static func tokenURL(_ profile: OAuthProfile, _ client: Client) -> String? {
        var values: [String: String] = [:]
        for parameter in profile.parameters where parameter.setByOperator {
            values[parameter.name] = client.parameters[parameter.name] ?? parameter.defaultValue
        }
        return profile.addresses.own.token?.filled(with: values)
    }

    private static func provider(
        _ origin: String, _ url: String, _ transport: CurlTransport
    ) async -> (String, [Finding], Finding?) {
        do throws(TransportError) {
            let response = try await transport.send(ProviderRequest(method: .get, url: url))
            return (origin, [.good("provider", "\(origin) is reached")], clock(response, origin))
        } catch {
            let hint =
                switch error {
                case .tlsFailed: "check for a proxy in between, and the machine's certificates"
                case .addressNotAllowed: "its name resolves to an address that is not public"
                default: "check the machine's network and its name servers"
                }
            return (origin, [.bad("provider", "\(origin): \(error.rawValue)", hint: hint)], nil)
        }
    }

    /// Tokens and states are of times: a clock that is wrong refuses good ones.
    private static func clock(_ response: ProviderResponse, _ from: String) -> Finding? {
        guard let text = response.header("date"), let date = try? Date(text, strategy: .http) else { return nil }
        let seconds = Int(abs(date.timeIntervalSinceNow).rounded())
        guard seconds <= 30 else {
            return .bad("clock", "\(seconds) s from that of \(from)", hint: "synchronise the machine's clock by NTP")
        }
        return .good("clock", "the same as that of \(from)")
    }
}

extension ParseStrategy where Self == Date.ParseStrategy {
    /// RFC 9110 § 5.6.7.
    fileprivate static var http: Date.ParseStrategy {
        Date.ParseStrategy(
            format: """
                \(weekday: .abbreviated), \(day: .twoDigits) \(month: .abbreviated) \(year: .defaultDigits) \
                \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\
                \(second: .twoDigits) GMT
                """, locale: Locale(identifier: "en_US_POSIX"), timeZone: .gmt)
    }
}
