import Broker
import Logging
import OTLPTracing
import ServiceContextModule

extension Logger {
    /// Logs an audit event. The names are those of the API and the trail, in the log's own spelling; `trace_id` leads
    /// from the line to its trace.
    func log(_ event: Event) {
        let level = Self.level(of: event.kind)
        // Before anything is made for a line that nobody reads: this runs in every request.
        guard logLevel <= level else { return }
        var metadata: Logger.Metadata = ["event": .string(event.kind.rawValue)]
        if let tenant = event.tenant { metadata["tenant"] = .string(tenant.description) }
        if let sourceType = event.sourceType { metadata["source_type"] = .string(sourceType.description) }
        if let flow = event.flow { metadata["flow"] = .string(flow.description) }
        if let code = event.code { metadata["code"] = .string(code) }
        if let actor = event.requester.subject { metadata["actor"] = .string(actor) }
        if let tokenID = event.requester.tokenID { metadata["token_id"] = .string(tokenID) }
        if let address = event.requester.remoteAddress { metadata["remote_address"] = .string(address) }
        if let requestID = event.requester.requestID { metadata["request_id"] = .string(requestID) }
        if let detail = event.detail { metadata["detail"] = .string(detail) }
        if let trace = ServiceContext.current?.trace { metadata["trace_id"] = .string(trace.traceID) }
        log(level: level, "flow", metadata: metadata)
    }

    /// Above `info` is what somebody has to look at: a key that was presented twice may have been stolen.
    static func level(of kind: Event.Kind) -> Logger.Level {
        switch kind {
        case .auditBroken: .error
        case .credentialKeyReused: .warning
        default: .info
        }
    }
}
