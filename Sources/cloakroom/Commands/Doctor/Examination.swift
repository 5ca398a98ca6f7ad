import Broker
import Catalog
import CurlTransport
import Daemon
import Secrets

/// Checks everything that an installation depends on: files, database, network, providers. It opens what is there, and
/// creates and changes nothing.
struct Examination: Sendable {
    let configuration: Configuration

    init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    /// All findings. A fault does not end the examination: one reason often explains another.
    func findings() async -> [Finding] {
        var findings = [
            Finding.good(
                "configuration",
                "\(counted(configuration.catalog.entries.count, "source type")), no setting is wrong")
        ]
        // Their own words say what to do, where something is.
        findings += configuration.advice.map { Finding(subject: "configuration", level: .warn, words: $0) }
        findings += secretFiles()
        findings += await blocking { database() }
        let transport = CurlTransport(configuration: configuration.transport)
        defer { transport.shutdown() }
        findings.append(await publicAddress())
        findings += configuration.registrations.map { address, sourceTypes in
            .good(
                "redirect address",
                "\(address) is to be registered for \(sourceTypes.map(\.description).joined(separator: ", "))")
        }
        findings += await callerKeys(by: transport)
        findings += await providers(by: transport)
        findings += await metadata(by: transport)
        if let tracing = configuration.tracing { findings.append(await collector(tracing)) }
        return findings
    }
}
