package import Formats
package import HTTPTypes
package import OTLPTracing
import ServiceContextModule
import Tracing

// Spans tell what the log tells and no more: templates, never addresses; codes, never what a caller sent. Attributes
// have OpenTelemetry's names where it has some (semantic conventions for HTTP).

extension TraceContext {
    /// The trace that a request is part of; `nil` where it names none or several (W3C Trace Context § 3.2).
    package init?(of headers: HTTPFields) {
        guard let parent = headers[.traceparent], headers[values: .traceparent].count == 1 else { return nil }
        self.init(parent, state: headers[.tracestate])
    }

    /// The headers that pass it on to a service of the same operator. Never to providers: it is none of their business.
    package var headers: [(name: String, value: String)] {
        [("traceparent", traceparent)] + (state.map { [("tracestate", $0)] } ?? [])
    }
}

extension OTLPTracer {
    /// The span of a request to another; `nil` where no traced request to the service caused it.
    ///
    /// - Parameter target: a word from a fixed list, never an address.
    package func span(of method: RequestMethod, to target: String) -> RecordedSpan? {
        guard let context = ServiceContext.current, context.trace != nil else { return nil }
        let span = startSpan("\(method.rawValue) \(target)", context: context, ofKind: .client)
        if span.isRecording { span.updateAttributes { $0["http.request.method"] = method.rawValue } }
        return span
    }

    func span(
        of method: HTTPRequest.Method, at route: Route?, requestID: String, parent: TraceContext?
    ) -> RecordedSpan {
        var context = ServiceContext.topLevel
        context.trace = parent
        let method = RouteMetrics.known(method).name
        let span = startSpan(route.map { "\(method) \($0.template)" } ?? method, context: context, ofKind: .server)
        guard span.isRecording else { return span }
        var attributes: SpanAttributes = ["http.request.method": .string(method)]
        attributes["cloakroom.request_id"] = requestID
        if let route { attributes["http.route"] = route.template }
        span.attributes = attributes
        return span
    }
}

extension RecordedSpan {
    /// Ends the span of an answered request. A caller's mistake is no error of the server (semantic conventions).
    package func end(status: Int, errorsFrom lowest: Int = 500) {
        if isRecording { updateAttributes { $0["http.response.status_code"] = status } }
        if status >= lowest { end(failing: String(status)) } else { end() }
    }

    /// Ends the span as an error.
    ///
    /// - Parameter type: a code from a fixed list, never what a caller or a provider sent.
    package func end(failing type: String) {
        if isRecording {
            updateAttributes { $0["error.type"] = type }
            setStatus(SpanStatus(code: .error))
        }
        end()
    }
}
