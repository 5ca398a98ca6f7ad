import Broker
import Catalog
import Formats
import Logging
import StrictYAML

/// Logs and spans.
extension ConfigurationReader {
    func log() -> (level: Logger.Level, format: Configuration.LogFormat) {
        let log = section("log")
        let level = log.choice("level", of: Logger.Level.self) ?? .info
        let format = log.choice("format", of: Configuration.LogFormat.self) ?? .json
        log.finish()
        return (level, format)
    }

    /// `nil` where no collector is named: then no span is made at all.
    func tracing() -> Configuration.Tracing? {
        let tracing = section("tracing")
        defer { tracing.finish() }
        let ratio = tracing.number("sampleRatio", upTo: 1) ?? 1
        guard let text = tracing.string("endpoint") else { return nil }
        // OTLP over HTTP is posted to a path, and a collector answers 404 anywhere else.
        guard let url = StrictURL(text), !url.rest.isEmpty else {
            tracing.problem(
                "endpoint", found: text.quoted,
                wanted: "the address where a collector takes OTLP, such as http://127.0.0.1:4318/v1/traces")
            return nil
        }
        return Configuration.Tracing(endpoint: url.text, sampleRatio: ratio)
    }
}
