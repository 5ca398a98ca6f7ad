public import Catalog
public import Formats

/// A failure that is told to no caller and undoes nothing: it goes to the log.
public struct Incident: Sendable {
    /// The kinds of incidents. The raw values are the log's messages.
    public enum Kind: String, Sendable {
        /// The store could not take an event into the audit trail; the log has the event.
        case eventNotRecorded = "an event is missing in the audit trail"
        /// The key that waits for `assets:oauthFlow` does not open: the page is told `pending` until the flow expires.
        case outcomeUnreadable = "the outcome of a flow cannot be decrypted"
        /// A provider did not revoke a token that nobody can redeem any more: it stays valid there.
        case tokenNotRevoked = "a token was not revoked at its provider"
        /// A provider's metadata or keys could not be fetched, and the earlier ones are used.
        case staleMetadata = "an earlier answer of a provider is used"
        /// A provider's metadata has members of the wrong form, which count as absent.
        case faultyMetadata = "a provider's metadata has members that cannot be used"
        /// The answer to a refresh went to those who waited for it; whoever asks again within 30 s asks the provider.
        case refreshNotKept = "the answer to a refresh could not be kept"
        /// The keys of callers' tokens could not be fetched, and the earlier ones are used.
        case staleCallersKeys = "earlier keys are used for callers' tokens"
        /// There are no keys for callers' tokens: their calls are answered 503.
        case callersKeysMissing = "the keys for callers' tokens cannot be fetched"
        /// A registration of the broker's own does not open: a new one takes its place, and grants of the old one have to
        /// be made again.
        case registrationUnreadable = "a registration of the broker's own cannot be decrypted"
        /// A server said that it does not know a registration, or that it does again, and that could not be kept: a new one
        /// may be made too late, or too early.
        case registrationNotNoted = "what a server said of a registration of the broker's own could not be kept"
        /// A secret does not open: it stays under the master key that sealed it, and the tenant's calls for that source
        /// type are refused.
        case clientSecretUnreadable = "a client secret of a tenant cannot be decrypted"
    }

    /// The incident's kind, which decides the log level.
    public let kind: Kind
    /// The failure in words for operators.
    public let reason: Reason
    /// `nil` where it concerns no one tenant, as with a provider's metadata.
    public let tenant: TenantID?
    /// `nil` likewise.
    public let sourceType: SourceType.ID?
    /// `nil` where it concerns no one flow.
    public let flow: FlowID?
    /// The `X-Request-Id` of the request in which it happened; `nil` outside of requests.
    public let requestID: String?

    init(_ kind: Kind, _ reason: Reason, at placement: Placement, requestID: String? = nil) {
        self.init(
            kind, reason, tenant: placement.tenant, sourceType: placement.sourceType, flow: placement.flow,
            requestID: requestID)
    }

    /// An incident that concerns no one tenant, source type or request.
    package init(_ kind: Kind, _ reason: Reason) {
        self.init(kind, reason, tenant: nil, sourceType: nil)
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

/// The flows or clients that were reported once, so that what is asked for every second is not reported every second.
actor Told<Subject: Hashable & Sendable> {
    private static var most: Int { 1000 }
    private var told: Set<Subject> = []

    func isNews(_ subject: Subject) -> Bool {
        if told.count >= Self.most { told.removeAll() }
        return told.insert(subject).inserted
    }
}
