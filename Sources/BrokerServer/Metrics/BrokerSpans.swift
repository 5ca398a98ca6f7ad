public import Broker
import Catalog
import Formats
public import OTLPTracing
import ServiceContextModule
import Tracing

extension OTLPTracer {
    /// A request to a provider; `nil` where no traced request to the broker caused it.
    func span(_ request: ProviderRequest) -> RecordedSpan? {
        guard let context = ServiceContext.current, context.trace != nil else { return nil }
        let target = request.sourceType?.description ?? "metadata"
        let span = startSpan("\(request.method.rawValue) \(target)", context: context, ofKind: .client)
        guard span.isRecording else { return span }
        var attributes: SpanAttributes = ["http.request.method": .string(request.method.rawValue)]
        if let sourceType = request.sourceType { attributes["cloakroom.source_type"] = sourceType.description }
        span.attributes = attributes
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
