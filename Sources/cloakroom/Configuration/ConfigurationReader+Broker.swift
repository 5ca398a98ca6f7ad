import Broker
import Catalog
import CurlTransport
import Daemon
import Formats
import Foundation
import StrictYAML

/// The broker's configuration, section by section.
extension ConfigurationReader {
    /// The configuration, or a refusal with a line for each thing that is wrong.
    static func configuration(
        file: String?, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(Refusal) -> Configuration {
        try read(.broker, file: file, environment: environment) { $0.configuration(environment) }
    }

    private func configuration(_ environment: [String: String]) -> Configuration? {
        let http = http()
        let operators = operators(beside: http.listener.address)
        let frontends = frontends(default: http.publicURL?.origin)
        let provider = provider()
        let auth = auth(allowInsecure: provider.transport.allowInsecure)
        let store = storage()
        let keyRing = keyRing()
        let lifetimes = lifetimes()
        let (catalog, isWhole) = catalog(allowInsecure: provider.transport.allowInsecure)
        let clients = clients(catalog, isWhole: isWhole, environment: environment)
        let servers = resourceServers()
        let (limits, bounds) = limits(http, brokersMeet: store?.isShared ?? true)
        let log = log()
        let tracing = tracing()

        // Each of these was found missing or wrong already.
        guard let publicURL = http.publicURL, let frontends, let rules = auth.rules, let callerKeys = auth.keys,
            let store, let keyRing
        else { return nil }
        var broker = Broker.Settings(
            publicURL: publicURL, frontends: frontends, stateLifetime: lifetimes.state,
            credentialKeyLifetime: lifetimes.credentialKey, auditEventLifetime: lifetimes.auditEvents)
        broker.resources = servers
        return Configuration(
            origin: settings.top.file, address: http.listener.address, operators: operators,
            listener: http.listener.bounds,
            broker: broker,
            proxies: http.listener.proxies, limits: limits, bounds: bounds, rules: rules, callerKeys: callerKeys,
            store: store, keyRing: keyRing.ring, masterKeyFile: keyRing.file, transport: provider.transport,
            shares: provider.shares, catalog: catalog, clients: clients, logLevel: log.level, logFormat: log.format,
            tracing: tracing, remarks: notes.remarks, secretFiles: notes.secretFiles)
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
