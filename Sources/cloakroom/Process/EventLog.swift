import Broker
import Catalog
import Formats
import Logging
import OTLPTracing
import ServiceContextModule

/// The log's lines of what happened to flows and keys: the audit trail's members, and why something failed.
struct EventLog: Sendable {
    private let logger: Logger

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// - Parameter error: the reason why the trail could not take the event; this line is all that is kept of it then.
    func write(_ event: Event, notRecorded error: StoreError? = nil) {
        let level = error == nil ? Self.level(event) : .error
        guard logger.logLevel <= level else { return }
        var metadata = Logger.Metadata(minimumCapacity: 12)
        metadata["event"] = .string(event.kind.rawValue)
        if let tenant = event.tenant { metadata["tenant"] = .string(tenant.description) }
        if let sourceType = event.sourceType { metadata["source_type"] = .string(sourceType.description) }
        if let flow = event.flow { metadata["flow"] = .string(flow.description) }
        if let code = event.code { metadata["code"] = .string(code) }
        if let actor = event.requester.subject { metadata["actor"] = .string(actor) }
        if let tokenID = event.requester.tokenID { metadata["token_id"] = .string(tokenID) }
        if let address = event.requester.remoteAddress { metadata["remote_address"] = .string(address) }
        if let requestID = event.requester.requestID { metadata["request_id"] = .string(requestID) }
        if let detail = event.detail { metadata["detail"] = .string(detail) }
        if let error { metadata["not_recorded"] = .string(error.reason.description) }
        if let trace = ServiceContext.current?.trace { metadata["trace_id"] = .string(trace.traceID) }
        logger.log(level: level, "\(event.kind.rawValue)", metadata: metadata)
    }

    static func level(_ event: Event) -> Logger.Level {
        switch event.kind {
        case .auditBroken, .credentialKeyUnreadable: .error
        // The broker's own trouble: the database, or its end.
        case .flowFailed where event.code == "unavailable": .error
        case .credentialKeyReused: .warning
        default: .info
        }
    }

    func write(_ incident: Incident) {
        let level: Logger.Level =
            switch incident.kind {
            case .eventNotRecorded, .refreshNotKept, .outcomeUnreadable, .clientSecretUnreadable, .callersKeysMissing,
                .registrationUnreadable:
                .error
            case .registrationNotNoted, .tokenNotRevoked, .staleMetadata, .faultyMetadata, .staleCallersKeys:
                .warning
            }
        guard logger.logLevel <= level else { return }
        var metadata: Logger.Metadata = ["reason": .string(incident.reason.description)]
        if let tenant = incident.tenant { metadata["tenant"] = .string(tenant.description) }
        if let sourceType = incident.sourceType { metadata["source_type"] = .string(sourceType.description) }
        if let flow = incident.flow { metadata["flow"] = .string(flow.description) }
        if let requestID = incident.requestID { metadata["request_id"] = .string(requestID) }
        if let trace = ServiceContext.current?.trace { metadata["trace_id"] = .string(trace.traceID) }
        logger.log(level: level, "\(incident.kind.rawValue)", metadata: metadata)
    }
}
