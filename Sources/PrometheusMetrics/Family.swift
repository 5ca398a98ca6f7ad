/// All series of one name, with their type and the sentence that explains them.
public struct Family: Sendable, Equatable {
    /// The metric types of Prometheus that the broker uses. There are no summaries.
    public enum Kind: Sendable, Equatable {
        /// Only ever grows. The name ends in `_total`.
        case counter
        /// Goes up and down.
        case gauge
        /// With the upper bounds of its buckets, ascending; the last, infinity, goes without saying.
        case histogram([Double])
    }

    /// The name of its series; the lines of a histogram add `_bucket`, `_sum` and `_count`.
    public let name: String
    /// The `TYPE` line. A series that is made as another kind is not exposed.
    public let kind: Kind
    /// The `HELP` line; empty: there is none.
    public let help: String

    /// Checks nothing: a name that Prometheus refuses is written as it is.
    public init(_ name: String, _ kind: Kind, help: String) {
        self.name = name
        self.kind = kind
        self.help = help
    }

    /// Bucket bounds for durations in seconds, from half a millisecond to ten seconds.
    public static let seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
}

/// One value that is read at each scrape, for figures that somebody else counts.
public struct Sample: Sendable {
    /// Names and values. Values are escaped when they are written; names must be Prometheus' already.
    public let labels: [(String, String)]
    /// Infinities and NaN are written as Prometheus spells them.
    public let value: Double

    /// The order of the labels does not matter; without any, the family has one series.
    public init(_ value: Double, _ labels: [(String, String)] = []) {
        self.value = value
        self.labels = labels
    }
}
