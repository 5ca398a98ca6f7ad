import Broker
import Catalog
import CurlTransport
import Formats
import Foundation
import StrictYAML

/// Turns settings into a configuration, and says all that is wrong at once.
///
/// Each section has a method in a file of its own. What is wrong goes to `findings`, and the reading goes on with a
/// value that causes no second finding.
struct ConfigurationReader {
    let settings: Settings
    let findings: Findings
    let notes: Notes

    /// Findings that refuse nothing, and the files that were read on the way.
    final class Notes {
        /// Lines on what an operator should know but need not mend.
        var remarks: [String]
        /// Those that were read.
        var secretFiles: [SecretFile] = []

        init(remarks: [String]) { self.remarks = remarks }
    }

    /// The configuration, or a refusal with a line for each thing that is wrong.
    static func configuration(
        file: String?, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(Refusal) -> Configuration {
        let findings = Findings()
        guard let settings = Settings(file: file, environment: environment, findings: findings) else {
            throw Refusal(findings.lines)
        }
        let reader = ConfigurationReader(
            settings: settings, findings: findings, notes: Notes(remarks: settings.remarks))
        let configuration = reader.configuration(environment)
        guard let configuration, findings.lines.isEmpty else { throw Refusal(findings.lines) }
        return configuration
    }

    private func configuration(_ environment: [String: String]) -> Configuration? {
        let http = http()
        let operators = operators(beside: http.address)
        let frontends = frontends(default: http.publicURL?.origin)
        let provider = provider()
        let auth = auth(allowInsecure: provider.transport.allowInsecure)
        let storePath = storePath()
        let keyRing = keyRing()
        let lifetimes = lifetimes()
        let (catalog, isWhole) = catalog(allowInsecure: provider.transport.allowInsecure)
        let clients = clients(catalog, isWhole: isWhole, environment: environment)
        let (limits, bounds) = limits(http)
        let log = log()
        let tracing = tracing()
        settings.top.finish()

        // Each of these was found missing or wrong already.
        guard let publicURL = http.publicURL, let frontends, let rules = auth.rules, let callerKeys = auth.keys,
            let storePath, let keyRing
        else { return nil }
        return Configuration(
            origin: settings.top.file, address: http.address, operators: operators, listener: http.bounds,
            broker: Broker.Settings(
                publicURL: publicURL, frontends: frontends, stateLifetime: lifetimes.state,
                credentialKeyLifetime: lifetimes.credentialKey, auditEventLifetime: lifetimes.auditEvents),
            proxies: http.proxies, limits: limits, bounds: bounds, rules: rules, callerKeys: callerKeys,
            storePath: storePath, keyRing: keyRing.ring, masterKeyFile: keyRing.file, transport: provider.transport,
            shares: provider.shares, catalog: catalog, clients: clients, logLevel: log.level, logFormat: log.format,
            tracing: tracing, remarks: notes.remarks, secretFiles: notes.secretFiles)
    }

    /// A section that is absent, or no mapping (a finding then), reads as an empty one.
    func section(_ name: String) -> YAMLReader {
        settings.top.section(name) ?? settings.top.emptySection(name)
    }

    /// The catalog; it is whole where each of its files was sound.
    private func catalog(allowInsecure: Bool) -> (Catalog, isWhole: Bool) {
        let top = settings.top
        let before = findings.lines.count
        var files: [(name: String, text: String)] = []
        for file in top.strings("catalogFiles") ?? [] {
            guard let text = text(file, of: "catalogFiles", in: top, wanted: "source types in YAML") else { continue }
            files.append((file, text))
        }
        let catalog = Catalog(files: files, allowInsecure: allowInsecure, findings: findings)
        return (catalog, findings.lines.count == before)
    }
}
