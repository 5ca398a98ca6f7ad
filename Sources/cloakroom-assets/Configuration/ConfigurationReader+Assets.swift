import Daemon
import Formats
import Foundation
import StrictYAML

/// The asset service's configuration, section by section.
extension ConfigurationReader {
    /// The configuration, or a refusal with a line for each thing that is wrong.
    static func configuration(
        file: String?, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(Refusal) -> Configuration {
        try read(.assets, file: file, environment: environment) { $0.configuration() }
    }

    private func configuration() -> Configuration? {
        let http = section("http")
        let listener = listener(http, usualPort: 8090)
        http.finish()
        let origins = frontendOrigins()
        let sources = sources()
        let auth = auth(allowInsecure: sources.allowInsecure)
        let storePath = storePath(usual: "sqlite:assets.db")
        let keyRing = keyRing()
        let broker = broker(allowInsecure: sources.allowInsecure)
        let models = models(allowInsecure: sources.allowInsecure)
        let (chunking, workers, uploadBytes) = (chunking(), workers(), uploadBytes())
        let log = log()
        let tracing = tracing()

        // Each of these was found missing or wrong already.
        guard let rules = auth.rules, let callerKeys = auth.keys, let storePath, let keyRing, let broker else {
            return nil
        }
        return Configuration(
            origin: settings.top.file, listener: listener, origins: origins, rules: rules, callerKeys: callerKeys,
            storePath: storePath, keyRing: keyRing.ring, masterKeyFile: keyRing.file, broker: broker,
            sources: sources, models: models, chunking: chunking, workers: workers, uploadBytes: uploadBytes,
            logLevel: log.level, logFormat: log.format, tracing: tracing, remarks: notes.remarks,
            secretFiles: notes.secretFiles)
    }

    /// None unless given.
    private func frontendOrigins() -> [OriginPattern] {
        let section = section("frontend")
        defer { section.finish() }
        return origins(section, reach: "may call the API") ?? []
    }

    /// An address that paths are put behind; `nil` (and a finding) where it is none.
    ///
    /// - Parameter allowInsecure: it may be plain http anywhere, else on this machine alone (RFC 6750 § 5.2).
    func address(
        _ text: String, of name: String, in reader: YAMLReader, allowInsecure: Bool, wanted: String
    ) -> StrictURL? {
        guard let url = StrictURL(base: text), url.isHTTPS || url.isLoopback || allowInsecure else {
            reader.problem(name, found: text.quotedAddress, wanted: wanted)
            return nil
        }
        return url
    }

    /// A time in seconds, more than none; `nil` where it is absent or (with a finding) no such time.
    func seconds(_ name: String, in reader: YAMLReader, upTo most: Double) -> Duration? {
        guard let value = reader.number(name, upTo: most) else { return nil }
        guard value >= 0.001 else {
            reader.problem(name, found: "\(value)", wanted: "seconds, at least 0.001")
            return nil
        }
        return .seconds(value)
    }
}
