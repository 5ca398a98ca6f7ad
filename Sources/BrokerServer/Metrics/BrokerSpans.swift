public import Broker
import Catalog
import Formats
import HTTPService
public import OTLPTracing
import ServiceContextModule
import Tracing

extension OTLPTracer {
    /// A request to a provider; `nil` where no traced request to the broker caused it.
    func span(_ request: ProviderRequest) -> RecordedSpan? {
        let span = span(of: request.method, to: request.sourceType?.description ?? "metadata")
        if let span, span.isRecording, let sourceType = request.sourceType {
            span.updateAttributes { $0["cloakroom.source_type"] = sourceType.description }
        }
        return span
    }

    /// Adds what happened to the span of the request in which it did.
    public func add(_ event: Event) {
        guard let context = ServiceContext.current, let span = activeSpan(identifiedBy: context), span.isRecording
        else { return }
        var attributes: SpanAttributes = [:]
        if let tenant = event.tenant { attributes["cloakroom.tenant"] = tenant.description }
        if let sourceType = event.sourceType { attributes["cloakroom.source_type"] = sourceType.description }
        if let flow = event.flow { attributes["cloakroom.flow"] = flow.description }
        if let code = event.code { attributes["cloakroom.code"] = code }
        span.addEvent(SpanEvent(name: event.kind.rawValue, attributes: attributes))
    }
}
