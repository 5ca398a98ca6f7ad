import CoreMetrics
import HTTPService
import OTLPTracing
import PrometheusMetrics
import Transport

/// Those that the service sends requests to, for metrics.
public enum RequestTarget: String, Sendable, CaseIterable {
    /// Addresses that callers choose, and those that they lead to.
    case web
    /// The configured addresses of sources' APIs.
    case api
    case broker
    case embedder
}

/// Times, counts and traces what goes to others.
struct MeasuredTransport: HTTPTransport {
    private static let duration = "cloakroom_assets_request_duration_seconds"
    private static let requests = "cloakroom_assets_requests_total"

    private let transport: any HTTPTransport
    private let timer: CoreMetrics.Timer
    private let outcomes: [String: Counter]
    private let target: RequestTarget
    private let tracer: OTLPTracer?

    init(
        _ transport: any HTTPTransport, to target: RequestTarget, _ factory: any MetricsFactory, _ tracer: OTLPTracer?
    ) {
        self.transport = transport
        self.target = target
        self.tracer = tracer
        timer = CoreMetrics.Timer(label: Self.duration, dimensions: [("target", target.rawValue)], factory: factory)
        let names = ["2xx", "3xx", "4xx", "5xx"] + TransportError.allCases.map(\.rawValue)
        outcomes = Dictionary(
            uniqueKeysWithValues: names.map { name in
                let labels = [("target", target.rawValue), ("outcome", name)]
                return (name, Counter(label: Self.requests, dimensions: labels, factory: factory))
            })
    }

    func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
        let span = tracer?.span(of: request.method, to: target.rawValue)
        var request = request
        // The broker is the operator's own: what it does for us belongs to the same trace. Nobody else is told of it.
        if target == .broker { request.headers += span?.context.trace?.headers ?? [] }
        let began = ContinuousClock.now
        do {
            let response = try await transport.send(request)
            ended(Self.outcome(response.status), since: began)
            span?.end(status: response.status, errorsFrom: 400)
            return response
        } catch {
            ended(error.rawValue, since: began)
            span?.end(failing: error.rawValue)
            throw error
        }
    }

    private func ended(_ outcome: String, since began: ContinuousClock.Instant) {
        timer.recordNanoseconds((ContinuousClock.now - began).nanoseconds)
        outcomes[outcome]?.increment()
    }

    private static func outcome(_ status: Int) -> String {
        switch status {
        case ..<300: "2xx"
        case ..<400: "3xx"
        case ..<500: "4xx"
        default: "5xx"
        }
    }

    static let families = [
        Family(
            duration, .histogram([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60]),
            help: "Time until an answer was read or given up, by whom it was asked of."),
        Family(
            requests, .counter,
            help: "Requests to others, by target and outcome: the status class, or why no answer came."),
    ]
}
