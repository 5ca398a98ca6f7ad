import Glibc

/// The file descriptors that the process may open.
package enum FileDescriptors {
    /// For what is no caller's connection: the database, requests to others, the collector, logs.
    private static let reserve = 256

    /// The number of connections, of those that are wanted, that there are descriptors for: each takes one. Where the
    /// limit is too low, it is first raised as far as that is allowed: without descriptors left, the database could not
    /// be opened again either.
    package static func connections(wanted: Int) -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return wanted }
        let needed = rlim_t(wanted + reserve)
        if limit.rlim_cur < needed, limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = min(needed, limit.rlim_max)
            if setrlimit(resource, &raised) == 0 { limit = raised }
        }
        guard limit.rlim_cur < needed else { return wanted }
        return max(1, Int(limit.rlim_cur) - reserve)
    }
}
