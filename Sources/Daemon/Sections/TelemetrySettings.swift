import Formats
package import Logging
import StrictYAML

/// The way of spans to the operator's collector.
package struct Tracing: Sendable {
    /// A collector that takes OTLP over HTTP, in JSON.
    package var endpoint: String
    /// The share of traces begun here that is sent, 0 to 1.
    package var sampleRatio: Double
}

/// Logs and spans.
extension ConfigurationReader {
    /// The section `log`.
    package func log() -> (level: Logger.Level, format: LogFormat) {
        let log = section("log")
        let level = log.choice("level", of: Logger.Level.self) ?? .info
        let format = log.choice("format", of: LogFormat.self) ?? .json
        log.finish()
        return (level, format)
    }

    /// The section `tracing`; `nil` where no collector is named: then no span is made at all.
    package func tracing() -> Tracing? {
        let tracing = section("tracing")
        defer { tracing.finish() }
        let ratio = tracing.number("sampleRatio", upTo: 1) ?? 1
        guard let text = tracing.string("endpoint") else { return nil }
        // OTLP over HTTP is posted to a path, and a collector answers 404 anywhere else.
        guard let url = StrictURL(text), !url.rest.isEmpty else {
            tracing.problem(
                "endpoint", found: text.quotedAddress,
                wanted: "the address where a collector takes OTLP, such as http://127.0.0.1:4318/v1/traces")
            return nil
        }
        return Tracing(endpoint: url.text, sampleRatio: ratio)
    }
}
