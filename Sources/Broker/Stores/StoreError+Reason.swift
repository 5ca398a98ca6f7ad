extension StoreError {
    /// The words for operators.
    package var reason: Reason {
        switch self {
        case .unavailable(let reason): "the database: \(trusted: reason)"
        case .uncertain(let reason): "the database: \(trusted: reason); it may have kept what was written"
        case .closed: "the broker stops"
        }
    }
}
