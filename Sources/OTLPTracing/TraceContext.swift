public import ServiceContextModule

/// The place of a span in its trace, as W3C Trace Context passes it on. Sections cited here are that recommendation's.
public struct TraceContext: Sendable, Equatable {
    /// 32 hexadecimal digits in lower case, not all 0.
    public let traceID: String
    /// 16 hexadecimal digits in lower case, not all 0.
    public let spanID: String
    /// True if spans of the trace are exported. Decided once, where the trace began: here or by the caller (§ 3.2.2.5).
    public let isSampled: Bool
    /// The `tracestate` of other systems on the way (§ 3.3), passed on unread; `nil` where there is none.
    public var state: String?

    init(traceID: String, spanID: String, isSampled: Bool, state: String? = nil) {
        self.traceID = traceID
        self.spanID = spanID
        self.isSampled = isSampled
        self.state = state
    }

    /// Reads a `traceparent` (§ 3.2); `nil` where it breaks a rule, and a new trace begins. A `tracestate` that is not
    /// printable ASCII of at most 512 bytes is dropped.
    public init?(_ traceparent: String, state: String? = nil) {
        let bytes = Array(traceparent.utf8.prefix(57))
        guard bytes.count >= 55, bytes[2] == Self.dash, bytes[35] == Self.dash, bytes[52] == Self.dash,
            let version = Self.hex(bytes[0..<2]), version != "ff",
            let traceID = Self.hex(bytes[3..<35]), traceID.utf8.contains(where: { $0 != 0x30 }),
            let spanID = Self.hex(bytes[36..<52]), spanID.utf8.contains(where: { $0 != 0x30 }),
            let flags = Self.hex(bytes[53..<55]).flatMap({ UInt8($0, radix: 16) })
        else { return nil }
        // Later versions may add fields at the end, never change these (§ 3.2.4).
        guard bytes.count == 55 || (version != "00" && bytes[55] == Self.dash) else { return nil }
        self.init(traceID: traceID, spanID: spanID, isSampled: flags & 1 == 1, state: state.flatMap(Self.sane))
    }

    /// The `traceparent` that makes this span the parent of the next, in version 00 (§ 3.2.2).
    public var traceparent: String { "00-\(traceID)-\(spanID)-\(isSampled ? "01" : "00")" }

    private static let dash = UInt8(ascii: "-")

    private static func hex(_ bytes: ArraySlice<UInt8>) -> String? {
        guard bytes.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Printable ASCII of at most 512 bytes: it goes on in a header of ours.
    private static func sane(_ state: String) -> String? {
        (1...512).contains(state.utf8.count) && state.utf8.allSatisfy { (0x20...0x7E).contains($0) } ? state : nil
    }
}

extension ServiceContext {
    private enum Key: ServiceContextKey {
        typealias Value = TraceContext
    }

    private enum SpanKey: ServiceContextKey {
        typealias Value = RecordedSpan
    }

    /// The place of the span that current work belongs to; while a request is read, that of its caller's span.
    public var trace: TraceContext? {
        get { self[Key.self] }
        set { self[Key.self] = newValue }
    }

    var span: RecordedSpan? {
        get { self[SpanKey.self] }
        set { self[SpanKey.self] = newValue }
    }
}
