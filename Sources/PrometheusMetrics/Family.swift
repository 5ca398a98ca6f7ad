/// All series of one name: what they are, and in words what they tell.
public struct Family: Sendable {
    public enum Kind: Sendable {
        /// Only ever grows. The name ends in `_total`.
        case counter
        case gauge
        /// With the upper bounds of its buckets, ascending; the last, infinity, goes without saying.
        case histogram([Double])
    }

    public let name: String
    public let kind: Kind
    public let help: String

    public init(_ name: String, _ kind: Kind, help: String) {
        self.name = name
        self.kind = kind
        self.help = help
    }

    /// From half a millisecond to ten seconds.
    public static let seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
}

/// One value that is read when it is asked for.
public struct Sample: Sendable {
    public let labels: [(String, String)]
    public let value: Double

    public init(_ value: Double, _ labels: [(String, String)] = []) {
        self.value = value
        self.labels = labels
    }
}
