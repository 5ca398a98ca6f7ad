package import OTLPTracing
package import PrometheusMetrics

// The metrics of what only the process knows: the queues of lines and spans on the way out.

extension PrometheusRegistry {
    /// Counts the log lines that found no reader.
    package func declare(log: LogOutput) {
        declare(
            Family(
                "cloakroom_log_lines_dropped_total", .counter, help: "Log lines that nobody read in time.")
        ) { [Sample(Double(log.droppedCount))] }
    }

    /// Counts the spans that the collector did not take in time.
    package func declare(spans: SpanQueue) {
        declare(
            Family("cloakroom_spans_dropped_total", .counter, help: "Spans that the collector did not take.")
        ) { [Sample(Double(spans.droppedCount))] }
    }
}
