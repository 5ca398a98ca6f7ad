extension StoreError {
    /// The words for operators.
    package var reason: Reason {
        switch self {
        case .unavailable(let reason): "the database: \(trusted: reason)"
        case .closed: "the broker stops"
        }
    }
}
