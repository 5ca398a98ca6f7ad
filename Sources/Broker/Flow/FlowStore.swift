public import Secrets

/// Keeps flows and tickets. Each call is atomic and durable before it returns.
public protocol FlowStore: Sendable {
    /// Keeps a new flow.
    func start(_ flow: Flow) async throws(StoreError)

    /// Spends a flow's state: of all calls for one flow, exactly one gets it, and only while it has not expired.
    func claim(_ id: FlowID, isBound: Bool, at now: Timestamp) async throws(StoreError) -> Flow?

    /// Keeps the ticket of a claimed flow. `false`: the flow is not waiting for one (it was swept or revoked).
    func succeed(_ id: FlowID, with ticket: Ticket) async throws(StoreError) -> Bool

    /// Ends a claimed flow without a ticket.
    func fail(_ id: FlowID, error: String, description: String?) async throws(StoreError)

    /// Takes the ticket with this key: of all calls for one key, exactly one gets it.
    func redeem(_ redemption: Redemption) async throws(StoreError) -> Redemption.Outcome

    /// What became of a flow. Changes nothing.
    func outcome(of id: FlowID) async throws(StoreError) -> FlowOutcome?

    /// Deletes expired tickets and, a day after their end, flows; at most `limit` of each. Whether some are left.
    func sweep(at now: Timestamp, limit: Int) async throws(StoreError) -> Bool

    /// Throws unless the store can write.
    func check() async throws(StoreError)
}

/// An attempt to redeem: every condition that the store's one statement has.
public struct Redemption: Sendable {
    public let keyDigest: Digest
    public let tenant: TenantID
    /// Made from the presented verifier; matters only where the flow began with a challenge.
    public let challenge: ProofKeyChallenge?
    public let now: Timestamp

    public init(keyDigest: Digest, tenant: TenantID, challenge: ProofKeyChallenge?, now: Timestamp) {
        self.keyDigest = keyDigest
        self.tenant = tenant
        self.challenge = challenge
        self.now = now
    }

    public enum Outcome: Sendable {
        case redeemed(Sealed<Credentials>, Placement)
        /// The key was right once and is spent: an alarm.
        case reused(Placement)
        /// Everything else: one case for all, so that nobody can tell them apart.
        case refused
    }
}

/// Why a store could not do its work. Names the statement or file, never a value.
public enum StoreError: Error, Equatable, Sendable {
    /// The disk is full, the file vanished or is read-only, or another process holds it for too long.
    case unavailable(String)
    /// The store is closed: the service stops.
    case closed
}
