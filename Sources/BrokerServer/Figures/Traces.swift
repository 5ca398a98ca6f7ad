public import Broker
import Catalog
import Formats
import HTTPTypes
public import OTLPTracing
import ServiceContextModule
import Tracing

// Spans tell what the log tells and no more: templates, never addresses; codes, never what a caller sent. Attributes
// have OpenTelemetry's names where it has some (semantic conventions for HTTP).

extension TraceContext {
    /// The trace that a request is part of; `nil` where it names none or several (W3C Trace Context § 3.2).
    init?(of headers: HTTPFields) {
        guard let parent = headers[.traceparent], headers[values: .traceparent].count == 1 else { return nil }
        self.init(parent, state: headers[.tracestate])
    }

    /// What passes it on to a service of the same operator. Never to providers: it is none of their business.
    var headers: [(name: String, value: String)] {
        [("traceparent", traceparent)] + (state.map { [("tracestate", $0)] } ?? [])
    }
}

extension OTLPTracer {
    func span(
        _ method: HTTPRequest.Method, _ route: String?, _ requestID: String, parent: TraceContext?
    ) -> RecordedSpan {
        var context = ServiceContext.topLevel
        context.trace = parent
        let method = RouteMeter.known(method).name
        let span = startSpan(route.map { "\(method) \($0)" } ?? method, context: context, ofKind: .server)
        guard span.isRecording else { return span }
        var attributes: SpanAttributes = ["http.request.method": .string(method)]
        attributes["cloakroom.request_id"] = requestID
        if let route { attributes["http.route"] = route }
        span.attributes = attributes
        return span
    }

    /// A request to a provider; `nil` where no request of ours is behind it.
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

extension RecordedSpan {
    /// Ends the span of an answered request. A caller's mistake is no error of the server (semantic conventions).
    func end(_ status: Int, errorsFrom lowest: Int = 500) {
        if isRecording { updateAttributes { $0["http.response.status_code"] = status } }
        if status >= lowest { end(failing: String(status)) } else { end() }
    }

    func end(failing type: String) {
        if isRecording {
            updateAttributes { $0["error.type"] = type }
            setStatus(SpanStatus(code: .error))
        }
        end()
    }
}
