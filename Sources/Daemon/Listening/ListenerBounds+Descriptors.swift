package import HTTPService

extension ListenerBounds {
    /// The bounds for as many connections as the process may have, and a line where those are fewer than it should.
    ///
    /// - Parameter others: connections of other listeners.
    package func withinDescriptors(beside others: Int = 0) -> (ListenerBounds, [String]) {
        var bounds = self
        bounds.maxConnections = max(1, FileDescriptors.connections(wanted: maxConnections + others) - others)
        guard bounds.maxConnections < maxConnections else { return (bounds, []) }
        return (
            bounds,
            [
                "http.maxConnections is \(maxConnections), and the process may open files for "
                    + "\(bounds.maxConnections): raise LimitNOFILE (ulimit -n)"
            ]
        )
    }
}
