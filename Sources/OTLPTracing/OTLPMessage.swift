import Foundation
import Tracing

/// Spans as an OpenTelemetry collector takes them: `ExportTraceServiceRequest` in OTLP's JSON encoding
/// (opentelemetry-proto 1.x, OTLP/HTTP). Identifiers are hexadecimal there and 64-bit numbers are strings.
struct OTLPMessage: Encodable {
    struct Value: Encodable {
        var stringValue: String?
        var boolValue: Bool?
        var intValue: String?
        var doubleValue: Double?

        /// Texts, numbers and truth values, which the broker's spans hold. Anything else becomes its text.
        init(_ attribute: SpanAttribute) {
            switch attribute {
            case .int32(let number): intValue = String(number)
            case .int64(let number): intValue = String(number)
            case .double(let number) where number.isFinite: doubleValue = number
            case .bool(let truth): boolValue = truth
            case .string(let text): stringValue = text
            case .stringConvertible(let value): stringValue = "\(value)"
            default: stringValue = "\(attribute)"
            }
        }
    }

    struct Attribute: Encodable {
        let key: String
        let value: Value
    }

    struct Event: Encodable {
        let timeUnixNano: String
        let name: String
        let attributes: [Attribute]
    }

    struct Status: Encodable {
        let code: Int
        let message: String?
    }

    struct Span: Encodable {
        let traceId: String
        let spanId: String
        let traceState: String?
        let parentSpanId: String?
        let flags: Int
        let name: String
        let kind: Int
        let startTimeUnixNano: String
        let endTimeUnixNano: String
        let attributes: [Attribute]
        let events: [Event]
        let status: Status?
    }

    struct Scope: Encodable {
        let name: String
        let version: String
    }

    struct ScopeSpans: Encodable {
        let scope: Scope
        let spans: [Span]
    }

    struct Resource: Encodable {
        let attributes: [Attribute]
    }

    struct ResourceSpans: Encodable {
        let resource: Resource
        let scopeSpans: [ScopeSpans]
    }

    let resourceSpans: [ResourceSpans]

    init(_ spans: [FinishedSpan], service: String, version: String) {
        let resource: SpanAttributes = ["service.name": .string(service), "service.version": .string(version)]
        resourceSpans = [
            ResourceSpans(
                resource: Resource(attributes: Self.attributes(resource)),
                scopeSpans: [
                    ScopeSpans(scope: Scope(name: service, version: version), spans: spans.map(Self.span))
                ])
        ]
    }

    private static func span(_ span: FinishedSpan) -> Span {
        Span(
            traceId: span.trace.traceID, spanId: span.trace.spanID, traceState: span.trace.state,
            parentSpanId: span.parentID, flags: 1, name: span.name, kind: kind(span.kind),
            startTimeUnixNano: String(span.startedAt), endTimeUnixNano: String(span.endedAt),
            attributes: attributes(span.attributes),
            events: span.events.map {
                Event(
                    timeUnixNano: String($0.nanosecondsSinceEpoch), name: $0.name,
                    attributes: attributes($0.attributes))
            },
            status: span.status.map { Status(code: $0.code == .error ? 2 : 1, message: $0.message) })
    }

    /// `Span.SpanKind` of the protocol.
    private static func kind(_ kind: SpanKind) -> Int {
        switch kind {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }

    private static func attributes(_ attributes: SpanAttributes) -> [Attribute] {
        var all: [Attribute] = []
        attributes.forEach { name, value in all.append(Attribute(key: name, value: Value(value))) }
        return all.sorted { $0.key < $1.key }
    }
}
