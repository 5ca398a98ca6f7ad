/// One line of the result.
struct Figure: Encodable {
    enum Verdict: String, Encodable {
        case ok
        case miss
        /// Told for its own sake.
        case none = "-"
    }

    let benchmark: String
    let value: Double
    let unit: String
    /// The figure that was measured beside it in the same run.
    var baseline: Double?
    var ratio: Double?
    var target = "-"
    var verdict = Verdict.none

    /// A figure without a target.
    init(_ benchmark: String, _ value: Double, _ unit: String) {
        self.benchmark = benchmark
        self.value = value
        self.unit = unit
    }

    init(_ benchmark: String, _ value: Double, _ unit: String, atMost limit: Double) {
        self.init(benchmark, value, unit)
        target = "<= \(Table.text(limit)) \(unit)"
        verdict = value <= limit ? .ok : .miss
    }

    init(_ benchmark: String, _ value: Double, _ unit: String, baseline: Double) {
        self.init(benchmark, value, unit)
        self.baseline = baseline
        ratio = value / baseline
    }

    init(_ benchmark: String, _ value: Double, _ unit: String, baseline: Double, ratioAtLeast limit: Double) {
        self.init(benchmark, value, unit, baseline: baseline)
        target = "ratio >= \(Table.text(limit))"
        verdict = value / baseline >= limit ? .ok : .miss
    }

    init(_ benchmark: String, _ value: Double, _ unit: String, baseline: Double, ratioAtMost limit: Double) {
        self.init(benchmark, value, unit, baseline: baseline)
        target = "ratio <= \(Table.text(limit))"
        verdict = value / baseline <= limit ? .ok : .miss
    }
}

extension [Double] {
    var median: Double { quantile(0.5) }

    /// The smallest value that at least `share` of all do not exceed.
    func quantile(_ share: Double) -> Double {
        guard !isEmpty else { return .nan }
        let rank = (Double(count) * share).rounded(.up)
        return sorted()[Swift.max(0, Swift.min(count - 1, Int(rank) - 1))]
    }
}
