import CoreMetrics
import Foundation
import HTTPTypes
package import PrometheusMetrics

/// Counts and times the requests of one route. Series are made when they are first needed: most pairs of method and
/// status never are.
///
/// `@unchecked Sendable`: `lock` guards the variables.
package final class RouteMetrics: @unchecked Sendable {
    static let requests = "cloakroom_http_requests_total"
    static let duration = "cloakroom_http_request_duration_seconds"

    package static let families = [
        Family(requests, .counter, "Requests by route, method and status."),
        Family(
            duration, .histogram(Family.seconds), "Time from a request's head to its answer's head, by route."),
    ]

    private let route: String
    private let lock = NSLock()
    private var counters: [Int: Counter] = [:]
    private var knownTimer: CoreMetrics.Timer?

    init(_ route: String) {
        self.route = route
    }

    func count(_ method: HTTPRequest.Method, _ status: Int, _ time: Duration, in factory: any MetricsFactory) {
        let (place, name) = Self.known(method)
        let key = status * 8 + place
        let (counter, timer) = lock.withLock { (self.counter(key, name, status, factory), self.timer(factory)) }
        counter.increment()
        timer.recordNanoseconds(time.nanoseconds)
    }

    private func counter(_ key: Int, _ method: String, _ status: Int, _ factory: any MetricsFactory) -> Counter {
        if let known = counters[key] { return known }
        let made = Counter(
            label: Self.requests, dimensions: [("route", route), ("method", method), ("status", String(status))],
            factory: factory)
        counters[key] = made
        return made
    }

    private func timer(_ factory: any MetricsFactory) -> CoreMetrics.Timer {
        if let known = knownTimer { return known }
        let made = CoreMetrics.Timer(label: Self.duration, dimensions: [("route", route)], factory: factory)
        knownTimer = made
        return made
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
