/// Prometheus' text format 0.0.4, as it is written line by line.
struct Exposition {
    private(set) var text = ""

    mutating func head(_ family: Family) {
        if !family.help.isEmpty {
            let help = family.help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
            text += "# HELP \(family.name) \(help)\n"
        }
        let kind =
            switch family.kind {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        text += "# TYPE \(family.name) \(kind)\n"
    }

    mutating func series(_ name: String, labels: String, of series: PrometheusRegistry.Series) {
        switch series {
        case .counter(let counter): line(name, labels: labels, value: String(counter.value))
        case .gauge(let gauge): sample(name, labels: labels, value: gauge.value)
        case .histogram(let histogram):
            let (cumulative, sum) = histogram.snapshot
            for (bound, count) in cumulative {
                let bound = "le=\"\(Self.number(bound))\""
                line(
                    "\(name)_bucket", labels: labels.isEmpty ? bound : "\(labels),\(bound)", value: String(count))
            }
            sample("\(name)_sum", labels: labels, value: sum)
            line("\(name)_count", labels: labels, value: String(cumulative.last?.count ?? 0))
        }
    }

    mutating func sample(_ name: String, labels: String, value: Double) {
        line(name, labels: labels, value: Self.number(value))
    }

    private mutating func line(_ name: String, labels: String, value: String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    /// The labels between the braces, sorted by name, so that one set of labels is always written the same way.
    static func labels(_ labels: [(String, String)]) -> String {
        labels.sorted { $0.0 < $1.0 }.map { name, value in
            var escaped = ""
            for scalar in value.unicodeScalars {
                switch scalar {
                case "\\": escaped += "\\\\"
                case "\"": escaped += "\\\""
                case "\n": escaped += "\\n"
                default: escaped.unicodeScalars.append(scalar)
                }
            }
            return "\(name)=\"\(escaped)\""
        }.joined(separator: ",")
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        // Whole numbers as such: 8 rather than 8.0, and memory not in powers of ten.
        if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 { return String(whole) }
        return value.description
    }
}
