import Secrets
public import Tracing

/// Makes spans and hands those that are sampled to whoever exports them.
public struct OTLPTracer: Tracer {
    private let sampleRatio: Double
    private let export: @Sendable (FinishedSpan) -> Void

    /// - Parameters:
    ///   - sampleRatio: the share of traces begun here that is kept, 0 to 1. What came from outside decides for itself.
    ///   - export: told of every sampled span at its end, on the way of the request: must not block.
    public init(sampleRatio: Double = 1, export: @escaping @Sendable (FinishedSpan) -> Void) {
        self.sampleRatio = sampleRatio
        self.export = export
    }

    /// A child of the context's span, in its trace and with its sampling decision; without one, the first span of a new
    /// trace. The source position is not kept.
    public func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> RecordedSpan {
        let parent = context()
        let trace = TraceContext(
            traceID: parent.trace?.traceID ?? Self.identifier(16), spanID: Self.identifier(8),
            isSampled: parent.trace?.isSampled ?? (Double.random(in: 0..<1) < sampleRatio),
            state: parent.trace?.state)
        return RecordedSpan(
            operationName, kind: kind, trace: trace, parent: parent, startedAt: instant().nanosecondsSinceEpoch,
            export: export)
    }

    /// The span whose ``RecordedSpan/active`` context this is; `nil` where there is none, also where only a caller's
    /// `traceparent` was read.
    public func activeSpan(identifiedBy context: ServiceContext) -> RecordedSpan? { context.span }

    /// Does nothing: the tracer keeps no spans. ``SpanQueue/flush()`` sends those that wait.
    public func forceFlush() {}

    /// Takes `traceparent` and `tracestate` (W3C Trace Context § 3.2 and § 3.3) as the parent of spans to come. A
    /// malformed `traceparent` leaves none.
    public func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        guard let text = extractor.extract(key: "traceparent", from: carrier) else { return }
        context.trace = TraceContext(text, state: extractor.extract(key: "tracestate", from: carrier))
    }

    /// Writes the context's span as `traceparent`, and the `tracestate` that came with it; nothing where there is no
    /// span.
    public func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let trace = context.trace else { return }
        injector.inject(trace.traceparent, forKey: "traceparent", into: &carrier)
        if let state = trace.state { injector.inject(state, forKey: "tracestate", into: &carrier) }
    }

    /// Random, for uniqueness alone: nothing rests on that nobody can guess it.
    private static func identifier(_ bytes: Int) -> String {
        while true {
            let text = (0..<bytes / 8).map { _ in
                let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            }.joined()
            if text.utf8.contains(where: { $0 != 0x30 }) { return text }
        }
    }
}

/// A span while it lasts. Nothing is kept of one that is not sampled.
public final class RecordedSpan: Span {
    private struct Known: Sendable {
        var name: String
        var attributes: SpanAttributes = [:]
        var events: [SpanEvent] = []
        var status: SpanStatus?
        var hasEnded = false
    }

    /// The context that the span was started in, with the span as its place in the trace. It does not hold the span
    /// itself: ``active`` does.
    public let context: ServiceContext
    private let kind: SpanKind
    private let trace: TraceContext
    private let parentID: String?
    private let startedAt: UInt64
    private let export: @Sendable (FinishedSpan) -> Void
    private let known: Locked<Known>

    fileprivate init(
        _ name: String, kind: SpanKind, trace: TraceContext, parent: ServiceContext, startedAt: UInt64,
        export: @escaping @Sendable (FinishedSpan) -> Void
    ) {
        self.kind = kind
        self.trace = trace
        parentID = parent.trace?.spanID
        self.startedAt = startedAt
        self.export = export
        known = Locked(Known(name: name))
        var context = parent
        context.trace = trace
        context.span = nil
        self.context = context
    }

    /// The context in which this span is the active one. Not kept by the span, which it would keep alive for ever.
    public var active: ServiceContext {
        var context = context
        context.span = self
        return context
    }

    /// True until the end of a sampled span. Where it is false, changes are dropped.
    public var isRecording: Bool { trace.isSampled && !known.withLock { $0.hasEnded } }

    /// The name of the span. Once the span has ended, it stays as it is.
    public var operationName: String {
        get { known.withLock { $0.name } }
        set { change { $0.name = newValue } }
    }

    /// The attributes so far. Once the span has ended, they stay as they are.
    public var attributes: SpanAttributes {
        get { known.withLock { $0.attributes } }
        set { change { $0.attributes = newValue } }
    }

    /// Keeps the last status that is set before the end.
    public func setStatus(_ status: SpanStatus) { change { $0.status = status } }

    /// Keeps the first 32 events; further ones are dropped.
    public func addEvent(_ event: SpanEvent) {
        // More would be a fault of ours; a span is small.
        change { if $0.events.count < 32 { $0.events.append(event) } }
    }

    /// Its type alone: an error's text may hold what it was about.
    public func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        var attributes = attributes
        attributes["exception.type"] = "\(type(of: error))"
        addEvent(SpanEvent(name: "exception", at: instant(), attributes: attributes))
    }

    /// Does nothing: spans here have no links.
    public func addLink(_ link: SpanLink) {}

    /// Exports the span, at the first call alone. An end before the start counts as the start.
    public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        guard trace.isSampled else { return }
        let ended: Known? = known.withLock { known in
            guard !known.hasEnded else { return nil }
            known.hasEnded = true
            return known
        }
        guard let ended else { return }
        export(
            FinishedSpan(
                trace: trace, parentID: parentID, name: ended.name, kind: kind, startedAt: startedAt,
                endedAt: max(instant().nanosecondsSinceEpoch, startedAt), attributes: ended.attributes,
                events: ended.events, status: ended.status))
    }

    private func change(_ body: (inout Known) -> Void) {
        guard trace.isSampled else { return }
        known.withLock { if !$0.hasEnded { body(&$0) } }
    }
}

/// A sampled span after its end, as it is handed to the export.
public struct FinishedSpan: Sendable {
    /// The span's own place in its trace; its trace is sampled.
    public let trace: TraceContext
    /// The `spanID` of the parent, here or in the caller's process; `nil` for the first span of a trace.
    public let parentID: String?
    /// The last ``RecordedSpan/operationName`` before the end.
    public let name: String
    /// The role in the call, such as `server`; set at the start.
    public let kind: SpanKind
    /// Nanoseconds since the epoch.
    public let startedAt: UInt64
    /// Nanoseconds since the epoch; never before `startedAt`.
    public let endedAt: UInt64
    /// The attributes at the end.
    public let attributes: SpanAttributes
    /// At most 32, in the order in which they were added.
    public let events: [SpanEvent]
    /// `nil` where none was set, which collectors show as neither success nor error.
    public let status: SpanStatus?
}
