public import Catalog
public import Formats

/// Something that happened, for the audit trail, logs and whoever counts. Holds no secret.
public struct Event: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case flowStarted = "flow.started"
        case flowSucceeded = "flow.succeeded"
        case flowFailed = "flow.failed"
        case credentialKeyRedeemed = "credential_key.redeemed"
        /// A key came back after it was spent: somebody has a copy.
        case credentialKeyReused = "credential_key.reused"
        case credentialKeyRefused = "credential_key.refused"
        /// A key was right, and no master key opens what it is for. It is not spent.
        case credentialKeyUnreadable = "credential_key.unreadable"
        case credentialKeyExpired = "credential_key.expired"
        case credentialsRefreshed = "credentials.refreshed"
        case credentialsRevoked = "credentials.revoked"
        /// An operator took keys and flows back: one for the call, and one for each key it destroyed.
        case revocation
        /// A tenant's own client was set or deleted.
        case clientChanged = "client.changed"
        /// The trail was altered beside the broker, and is not extended any more; or an operator began a new one.
        case auditBroken = "audit.broken"
    }

    public let kind: Kind
    public let time: Timestamp
    public let tenant: TenantID?
    public let sourceType: SourceType.ID?
    public let flow: FlowID?
    public let requester: Requester
    /// Why it failed, or what was done.
    public let code: String?
    /// More of it in words: an operator's reason, what was noticed, or why it failed. No secret.
    public let detail: String?

    public init(
        _ kind: Kind, at time: Timestamp, by requester: Requester = .unknown, _ placement: Placement? = nil,
        tenant: TenantID? = nil, sourceType: SourceType.ID? = nil, flow: FlowID? = nil, code: String? = nil,
        detail: String? = nil
    ) {
        self.kind = kind
        self.time = time
        self.tenant = placement?.tenant ?? tenant
        self.sourceType = placement?.sourceType ?? sourceType
        self.flow = placement?.flow ?? flow
        self.requester = requester
        self.code = code
        self.detail = detail?.prefix(bytes: Self.mostBytes)
    }

    /// More of a text is not kept, wherever it comes from.
    private static let mostBytes = 2048
}

/// Who asked, as far as it is known.
public struct Requester: Sendable, Equatable {
    /// The `sub` of the caller's token (RFC 7519 § 4.1.2).
    public let subject: String?
    /// Its `jti` (RFC 7519 § 4.1.7).
    public let tokenID: String?
    public let remoteAddress: String?
    /// The `X-Request-Id` of the request: its log lines and its answer have it too.
    public let requestID: String?

    public init(
        subject: String? = nil, tokenID: String? = nil, remoteAddress: String? = nil, requestID: String? = nil
    ) {
        // An issuer may put anything in there.
        self.subject = subject?.prefix(bytes: 256)
        self.tokenID = tokenID?.prefix(bytes: 256)
        self.remoteAddress = remoteAddress
        self.requestID = requestID
    }

    /// Nobody in particular: the broker itself, or a caller who need not say.
    public static let unknown = Requester()
}

/// An event as the audit trail keeps it.
public struct RecordedEvent: Sendable {
    /// Counts from 1, without a gap.
    public let sequence: Int64
    public let event: Event

    public init(sequence: Int64, event: Event) {
        self.sequence = sequence
        self.event = event
    }
}

/// Events of the audit trail, newest first.
public struct EventPage: Sendable {
    public let events: [RecordedEvent]
    /// Before which event to go on, where the page ends since enough were looked at; `nil` where it is full, or no more
    /// are left.
    public let next: Int64?

    public init(events: [RecordedEvent], next: Int64?) {
        self.events = events
        self.next = next
    }
}

/// Which events of the audit trail are wanted. `nil`: any.
public struct EventFilter: Sendable {
    public var tenant: TenantID?
    public var kind: Event.Kind?
    /// Not older than this.
    public var since: Timestamp?

    public init(tenant: TenantID? = nil, kind: Event.Kind? = nil, since: Timestamp? = nil) {
        self.tenant = tenant
        self.kind = kind
        self.since = since
    }

    public func matches(_ event: Event) -> Bool {
        (tenant == nil || tenant == event.tenant) && (kind == nil || kind == event.kind)
            && since.map { event.time >= $0 } ?? true
    }
}
