import CoreMetrics
import HTTPTypes
package import PrometheusMetrics
import Secrets

/// Counts and times the requests of one route. Series are made when they are first needed: most pairs of method and
/// status never are.
package final class RouteMetrics: Sendable {
    static let requests = "cloakroom_http_requests_total"
    static let duration = "cloakroom_http_request_duration_seconds"

    /// Declared once for all routes.
    package static let families = [
        Family(requests, .counter, help: "Requests by route, method and status."),
        Family(
            duration, .histogram(Family.seconds), help: "Time from a request's head to its answer's head, by route."),
    ]

    private let route: String
    private let series = Locked(Series())

    private struct Series: Sendable {
        var counters: [Int: Counter] = [:]
        var timer: CoreMetrics.Timer?
    }

    init(_ route: String) {
        self.route = route
    }

    func count(_ method: HTTPRequest.Method, status: Int, after time: Duration, in factory: any MetricsFactory) {
        let (place, name) = Self.known(method)
        let key = status * 8 + place
        let (counter, timer) = series.withLock { series in
            if let counter = series.counters[key], let timer = series.timer { return (counter, timer) }
            let counter = Counter(
                label: Self.requests, dimensions: [("route", route), ("method", name), ("status", String(status))],
                factory: factory)
            let timer =
                series.timer
                ?? CoreMetrics.Timer(label: Self.duration, dimensions: [("route", route)], factory: factory)
            (series.counters[key], series.timer) = (counter, timer)
            return (counter, timer)
        }
        counter.increment()
        timer.recordNanoseconds(time.nanoseconds)
    }

    /// The method as it may be shown: callers may send any word.
    static func known(_ method: HTTPRequest.Method) -> (place: Int, name: String) {
        switch method {
        case .get: (0, "GET")
        case .head: (1, "HEAD")
        case .post: (2, "POST")
        case .put: (3, "PUT")
        case .delete: (4, "DELETE")
        case .options: (5, "OPTIONS")
        case .patch: (6, "PATCH")
        default: (7, "other")
        }
    }
}

extension HTTPRequest.Method {
    /// Of a request whose first line could not be read.
    static let unknown = HTTPRequest.Method("OTHER") ?? .get
}

extension Duration {
    /// For swift-metrics' timers.
    package var nanoseconds: Int64 {
        let parts = components
        return parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
    }
}
