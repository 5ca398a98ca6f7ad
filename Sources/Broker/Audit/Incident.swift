public import Catalog

/// A failure that nobody is answered with, and that undoes nothing: its reason goes to the log.
public struct Incident: Sendable {
    public enum Kind: String, Sendable {
        /// The audit trail could not take an event; the log has it.
        case eventNotRecorded = "an event is missing in the audit trail"
        /// A waiting page is told `pending` until its flow expires.
        case outcomeUnreadable = "the outcome of a flow does not open"
        /// A provider was not brought to take back a token that nobody holds any more.
        case tokenNotRevoked = "a token was not taken back at its provider"
        /// A provider's metadata or keys could not be fetched, and those of before serve.
        case staleMetadata = "what a provider said before serves on"
        /// A provider's metadata has members of the wrong form, which count as absent.
        case faultyMetadata = "a provider's metadata has members that cannot be used"
        /// It stays under the master key that sealed it.
        case clientSecretUnreadable = "a tenant's client secret does not open"
    }

    public let kind: Kind
    public let reason: Reason
    public let tenant: TenantID?
    public let sourceType: SourceType.ID?
    public let flow: FlowID?
    /// The `X-Request-Id` of the request in which it was met.
    public let requestID: String?

    init(_ kind: Kind, _ reason: Reason, at placement: Placement, requestID: String? = nil) {
        self.init(
            kind, reason, tenant: placement.tenant, sourceType: placement.sourceType, flow: placement.flow,
            requestID: requestID)
    }

    init(
        _ kind: Kind, _ reason: Reason, tenant: TenantID?, sourceType: SourceType.ID?, flow: FlowID? = nil,
        requestID: String? = nil
    ) {
        self.kind = kind
        self.reason = reason
        self.tenant = tenant
        self.sourceType = sourceType
        self.flow = flow
        self.requestID = requestID
    }
}

/// Things of which something was told once: who asks every second is no news every second.
actor Told<Thing: Hashable & Sendable> {
    private let most = 1000
    private var told: Set<Thing> = []

    func isNews(_ thing: Thing) -> Bool {
        if told.count >= most { told.removeAll() }
        return told.insert(thing).inserted
    }
}
