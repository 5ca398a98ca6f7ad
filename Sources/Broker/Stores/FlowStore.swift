public import Catalog
public import Formats
public import Secrets

/// Keeps flows and tickets. Each call is atomic and durable before it returns, together with the event that tells of
/// it.
public protocol FlowStore: Sendable {
    /// Keeps a new flow, unless too many are outstanding.
    func start(_ flow: Flow, _ event: Event) async throws(StoreError) -> FlowAdmission

    /// Spends a flow's state: of all calls for one flow, exactly one gets it, and only while it has neither expired
    /// nor been revoked. A callback that came to another address than `redirect` changes nothing.
    func claim(
        _ id: FlowID, at redirect: RedirectPath, isBound: Bool, now: Timestamp
    ) async throws(StoreError) -> Flow?

    /// Keeps the ticket of a claimed flow. `false`: the flow is not waiting for one (it was swept or revoked).
    func succeed(_ id: FlowID, with ticket: Ticket, _ event: Event) async throws(StoreError) -> Bool

    /// Ends a claimed flow without a ticket.
    func fail(_ id: FlowID, error: String, description: String?, _ event: Event) async throws(StoreError)

    /// Takes the ticket with this key: of all calls for one key, exactly one gets it.
    ///
    /// All others take the same way and time. The event of a failure follows within a second, as far as there is room
    /// for it: the first ten of a spent key, and refusals within a budget.
    func redeem(_ redemption: Redemption) async throws(StoreError) -> Redemption.Outcome

    /// What became of a flow. Changes nothing.
    func outcome(of id: FlowID) async throws(StoreError) -> FlowOutcome?

    /// Deletes expired tickets, a day after their end flows, and events from before `eventsSince`; at most `limit` of
    /// each. The events that tell of it, and whether some are left.
    func sweep(at now: Timestamp, eventsSince: Timestamp, limit: Int) async throws(StoreError) -> (
        events: [Event], isUnfinished: Bool
    )

    /// Throws unless the store can write.
    func check() async throws(StoreError)

    // MARK: for operators

    /// Keeps an event that goes with no other change.
    func record(_ event: Event) async throws(StoreError)

    /// The newest events before `sequence` (`nil`: of all), newest first.
    func events(_ filter: EventFilter, before sequence: Int64?, limit: Int) async throws(StoreError) -> EventPage

    /// Tickets that wait at `now`, oldest first, after `position`.
    func tickets(
        _ selection: Selection, at now: Timestamp, after position: TicketPosition?, limit: Int
    ) async throws(StoreError) -> TicketPage

    /// From now on, every flow of the selection that was started before is refused, and its ticket too: by the store's
    /// own order, whatever clocks say. Its place in that order.
    func revokeFlows(
        _ selection: Selection, at time: Timestamp, _ event: Event
    ) async throws(StoreError) -> RevocationNumber

    /// Destroys the selection's tickets of flows that were started before the revocation, expired ones as well; looks
    /// at no more than `limit` tickets after `position`. Where to go on, or `nil` at the end.
    func destroyTickets(
        _ selection: Selection, startedBefore revocation: RevocationNumber, after position: TicketPosition?,
        limit: Int, by requester: Requester, at now: Timestamp
    ) async throws(StoreError) -> (destroyed: [DestroyedTicket], position: TicketPosition?)

    /// The clients that a tenant brought.
    func clients(of tenant: TenantID) async throws(StoreError) -> [KeptClient]

    /// Keeps a tenant's client in place of the one before. Whether there was none.
    func setClient(_ client: KeptClient, of tenant: TenantID, _ event: Event) async throws(StoreError) -> Bool

    /// Seals tenants' clients again: what `again` gives replaces what it was given. Looks at no more than `limit` after
    /// `position`. Where to go on, or `nil` at the end, and how many were replaced.
    func resealClients(
        after position: ClientPosition?, limit: Int,
        _ again: @escaping @Sendable (ClientPosition, Sealed<ClientSecret>) -> Sealed<ClientSecret>?
    ) async throws(StoreError) -> (moved: Int, position: ClientPosition?)

    /// Seals the store's own key again.
    func resealAuditKey(_ ring: KeyRing) async throws(StoreError)

    /// The uses of each master key, by the key's name. Changes nothing.
    func masterKeyUses(at now: Timestamp) async throws(StoreError) -> [String: MasterKeyUses]

    /// `false`: there was none.
    func deleteClient(_ sourceType: SourceType.ID, of tenant: TenantID, _ event: Event) async throws(StoreError) -> Bool
}

/// An attempt to redeem: every condition that the store's one statement has.
public struct Redemption: Sendable {
    public let keyDigest: Digest
    public let tenant: TenantID
    /// Made from the presented verifier; matters only where the flow began with a challenge.
    public let challenge: ProofKeyChallenge?
    public let now: Timestamp
    public let requester: Requester

    public init(
        keyDigest: Digest, tenant: TenantID, challenge: ProofKeyChallenge?, now: Timestamp,
        requester: Requester = .unknown
    ) {
        self.keyDigest = keyDigest
        self.tenant = tenant
        self.challenge = challenge
        self.now = now
        self.requester = requester
    }

    public enum Outcome: Sendable {
        case redeemed(Sealed<Credentials>, Placement)
        /// The key was right once and is spent: an alarm.
        case reused(Placement)
        /// Everything else: one case for all, so that nobody can tell them apart.
        case refused
    }

    /// The event that tells of an outcome.
    public func event(_ outcome: Outcome) -> Event {
        switch outcome {
        case .redeemed(_, let placement): Event(.credentialKeyRedeemed, at: now, by: requester, placement)
        case .reused(let placement): Event(.credentialKeyReused, at: now, by: requester, placement)
        case .refused: Event(.credentialKeyRefused, at: now, by: requester, tenant: tenant)
        }
    }
}

/// How many flows may be outstanding: begun, and neither ended nor expired. 0: no bound.
public struct FlowBounds: Sendable {
    public var perTenant: Int
    public var inAll: Int

    public init(perTenant: Int = 0, inAll: Int = 0) {
        self.perTenant = perTenant
        self.inAll = inAll
    }

    public var isOn: Bool { perTenant > 0 || inAll > 0 }
}

/// Whether a flow was begun. One that was not left no trace.
public enum FlowAdmission: Sendable {
    case admitted
    case tenantHasTooMany
    case tooMany
}

/// Why a store could not do its work. Names the statement or file, never a value.
public enum StoreError: Error, Equatable, Sendable {
    /// The disk is full, the file vanished or is read-only, or another process holds it for too long.
    case unavailable(String)
    /// The store is closed: the service stops.
    case closed
}
