import Broker
import Catalog
import CoreMetrics
import HTTPService
import OTLPTracing
import Secrets
import Transport

/// The metrics of one source type.
final class SourceTypeMetrics: Sendable {
    let started: Counter
    let succeeded: Counter
    private let failures: [String: Counter]
    private let otherFailure: Counter
    let provider: CoreMetrics.Timer
    private let outcomes: [String: Counter]

    /// The codes with which flows fail: our own, and those that RFC 6749 § 4.1.2.1 gives to providers. Any other word
    /// of a provider counts as `provider_error`.
    private static let codes = [
        "access_denied", "expired", "invalid_callback", "invalid_request", "invalid_scope", "invalid_state",
        "issuer_mismatch", "provider_rejected", "provider_timeout", "provider_unreachable", "server_error",
        "source_type_not_configured", "temporarily_unavailable", "unauthorized_client", "unavailable",
        "unsupported_response_type",
    ]
    private static let outcomes =
        ["2xx", "3xx", "4xx", "5xx"] + TransportError.allCases.map(\.rawValue)

    private init(_ name: String, _ factory: any MetricsFactory) {
        let counter = { (label: String, dimensions: [(String, String)]) in
            Counter(label: label, dimensions: [("source_type", name)] + dimensions, factory: factory)
        }
        started = counter("cloakroom_flows_started_total", [])
        succeeded = counter("cloakroom_flows_succeeded_total", [])
        let failure = { counter("cloakroom_flows_failed_total", [("code", $0)]) }
        failures = Dictionary(uniqueKeysWithValues: Self.codes.map { ($0, failure($0)) })
        otherFailure = failure("provider_error")
        provider = CoreMetrics.Timer(
            label: MeasuredTransport.duration, dimensions: [("source_type", name)], factory: factory)
        outcomes = Dictionary(
            uniqueKeysWithValues: Self.outcomes.map {
                ($0, counter(MeasuredTransport.requests, [("outcome", $0)]))
            })
    }

    func failed(_ code: String?) {
        (code.flatMap { failures[$0] } ?? otherFailure).increment()
    }

    func ended(_ outcome: String, after time: Duration) {
        provider.recordNanoseconds(time.nanoseconds)
        outcomes[outcome]?.increment()
    }

    /// Those of all source types. A source type's are made when it is first met.
    final class All: Sendable {
        private let factory: any MetricsFactory
        private let known: Set<SourceType.ID>
        private let met = Locked<[SourceType.ID?: SourceTypeMetrics]>([:])
        /// Of what the catalog has no more: flows outlive it.
        private let other: SourceTypeMetrics

        init(_ known: [SourceType.ID], ready: [SourceType.ID], _ factory: any MetricsFactory) {
            self.factory = factory
            self.known = Set(known)
            other = SourceTypeMetrics("other", factory)
            for id in ready where self.known.contains(id) { _ = self[id] }
        }

        /// `nil`: of no source type in particular.
        subscript(id: SourceType.ID?) -> SourceTypeMetrics {
            if let id, !known.contains(id) { return other }
            return met.withLock { met in
                if let found = met[id] { return found }
                let made = SourceTypeMetrics(id?.description ?? "none", factory)
                met[id] = made
                return made
            }
        }
    }
}

/// Times and traces what goes to providers.
struct MeasuredTransport: ProviderTransport {
    static let duration = "cloakroom_provider_request_duration_seconds"
    static let requests = "cloakroom_provider_requests_total"

    let transport: any HTTPTransport
    let sourceTypes: SourceTypeMetrics.All
    let tracer: OTLPTracer?

    func send(_ request: ProviderRequest) async throws(TransportError) -> ProviderResponse {
        let metrics = sourceTypes[request.sourceType]
        let span = tracer?.span(request)
        let began = ContinuousClock.now
        do {
            let response = try await transport.send(request.http)
            metrics.ended(Self.outcome(response.status), after: ContinuousClock.now - began)
            span?.end(status: response.status, errorsFrom: 400)
            return response
        } catch {
            metrics.ended(error.rawValue, after: ContinuousClock.now - began)
            span?.end(failing: error.rawValue)
            throw error
        }
    }

    private static func outcome(_ status: Int) -> String {
        switch status {
        case ..<300: "2xx"
        case ..<400: "3xx"
        case ..<500: "4xx"
        default: "5xx"
        }
    }
}
