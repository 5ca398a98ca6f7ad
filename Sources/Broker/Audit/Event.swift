public import Catalog
public import Formats

/// Something that happened, for the audit trail, the log and metrics. Holds no secret.
public struct Event: Sendable, Equatable {
    /// The kinds of events. The raw values are in the trail, in `type` of the admin API and in logs, so they never
    /// change.
    public enum Kind: String, Sendable, CaseIterable {
        /// `assets:authorize` succeeded.
        case flowStarted = "flow.started"
        /// A callback's code was exchanged, and a credential key waits.
        case flowSucceeded = "flow.succeeded"
        /// The flow ended without a credential key; `code` says how, `expired` where no callback came.
        case flowFailed = "flow.failed"
        /// The credentials were handed out.
        case credentialKeyRedeemed = "credential_key.redeemed"
        /// A key was presented after it was spent: somebody has a copy.
        case credentialKeyReused = "credential_key.reused"
        /// Any other bad key, tenant or verifier. The tenant is the one of the request, which nobody vouches for.
        case credentialKeyRefused = "credential_key.refused"
        /// A key was right, but no master key opens its credentials. It is not spent.
        case credentialKeyUnreadable = "credential_key.unreadable"
        /// A key was not redeemed in time, and is deleted.
        case credentialKeyExpired = "credential_key.expired"
        /// A refresh was answered, be it by an earlier answer of the provider.
        case credentialsRefreshed = "credentials.refreshed"
        /// A provider revoked a token at a tenant's request.
        case credentialsRevoked = "credentials.revoked"
        /// An operator revoked: one event for the order, and one for each key that it destroyed.
        case revocation
        /// A tenant's own client was set or deleted.
        case clientChanged = "client.changed"
        /// The trail was altered by something else than a broker, and is not extended any more; or an operator began a
        /// new one.
        case auditBroken = "audit.broken"
    }

    /// The event's kind.
    public let kind: Kind
    /// The moment by the broker's clock, before it was written.
    public let time: Timestamp
    /// `nil` for an operator's order over all tenants, and for events of the trail itself.
    public let tenant: TenantID?
    /// `nil` where the event concerns all source types or none, or is a refusal, which tells of no flow.
    public let sourceType: SourceType.ID?
    /// `nil` for everything that concerns no one flow, such as refreshes.
    public let flow: FlowID?
    /// The caller whose request led to it; `unknown` for what the broker does by itself.
    public let requester: Requester
    /// The failure's stable name (`CallbackError.code`), or what was done (`set`, `deleted`); `nil` for most kinds.
    public let code: String?
    /// More in words: an operator's reason, a remark, or the reason for a failure. No secret, at most 2048 bytes.
    public let detail: String?

    /// Takes tenant, source type and flow from `placement` where there is one; cuts `detail`.
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

    /// The longest detail; the rest of a text is not kept, wherever it comes from.
    private static let mostBytes = 2048
}

/// The author of a request, as far as it is known.
public struct Requester: Sendable, Equatable {
    /// The `sub` of the caller's token (RFC 7519 § 4.1.2), at most 256 bytes; `nil` for calls without a token.
    public let subject: String?
    /// Its `jti` (RFC 7519 § 4.1.7), at most 256 bytes; `nil` where it has none.
    public let tokenID: String?
    /// The client's IP address, from a trusted proxy's header where one is configured; `nil` where there was no
    /// connection.
    public let remoteAddress: String?
    /// The `X-Request-Id` of the request: its log lines and its answer have it too.
    public let requestID: String?

    /// Cuts subject and token id to 256 bytes: an issuer may put anything there.
    public init(
        subject: String? = nil, tokenID: String? = nil, remoteAddress: String? = nil, requestID: String? = nil
    ) {
        // An issuer may put anything in there.
        self.subject = subject?.prefix(bytes: 256)
        self.tokenID = tokenID?.prefix(bytes: 256)
        self.remoteAddress = remoteAddress
        self.requestID = requestID
    }

    /// No one in particular: the broker itself, or a caller who need not say.
    public static let unknown = Requester()
}

/// An event as the audit trail keeps it.
public struct RecordedEvent: Sendable {
    /// The event's number in the trail, from 1 without a gap.
    public let sequence: Int64
    /// The event as it was recorded.
    public let event: Event

    /// For stores.
    public init(sequence: Int64, event: Event) {
        self.sequence = sequence
        self.event = event
    }
}

/// A page of the audit trail's events, newest first.
public struct EventPage: Sendable {
    /// The events that fit the filter; may be fewer than were asked for though more follow (see `next`).
    public let events: [RecordedEvent]
    /// The number to pass as `before` to go on, where the search ended early since it had looked at enough events;
    /// `nil` where the page is full, or no events are left.
    public let next: Int64?

    /// For stores.
    public init(events: [RecordedEvent], next: Int64?) {
        self.events = events
        self.next = next
    }
}

/// A choice of the audit trail's events: those that fit all that is given. `nil` fits any.
public struct EventFilter: Sendable {
    /// Events of this tenant; those that concern all tenants do not fit.
    public var tenant: TenantID?
    /// Events of this kind.
    public var kind: Event.Kind?
    /// Events of this moment or later.
    public var since: Timestamp?

    /// Without arguments: all events.
    public init(tenant: TenantID? = nil, kind: Event.Kind? = nil, since: Timestamp? = nil) {
        self.tenant = tenant
        self.kind = kind
        self.since = since
    }

    /// Tells whether an event fits. For stores, which may have sorted some out before.
    public func matches(_ event: Event) -> Bool {
        (tenant == nil || tenant == event.tenant) && (kind == nil || kind == event.kind)
            && since.map { event.time >= $0 } ?? true
    }
}
