public import Formats

/// Keeps flows, from `authorize` to their end.
///
/// Each call of this and the other stores is atomic and durable before it returns, together with the event that reports
/// it.
public protocol FlowStore: Sendable {
    /// Keeps a new flow, unless too many are outstanding.
    func start(_ flow: Flow, recording event: Event) async throws(StoreError) -> FlowAdmission

    /// Spends a flow's state: of all calls for one flow, exactly one gets it, and only while it has neither expired nor
    /// been revoked; all others get `nil`. A callback that came to another address than `redirect` changes nothing.
    func claim(
        _ id: FlowID, at redirect: RedirectPath, isBound: Bool, now: Timestamp
    ) async throws(StoreError) -> Flow?

    /// Keeps the credential key of a claimed flow. `false` where the flow does not wait for one (it was swept or
    /// revoked): nothing is kept then.
    func succeed(_ id: FlowID, with stored: StoredCredentialKey, recording event: Event) async throws(StoreError)
        -> Bool

    /// Ends a claimed flow without a credential key. Records the event also where the flow has ended already.
    func fail(
        _ id: FlowID, error: String, description: String?, recording event: Event
    ) async throws(StoreError)

    /// Notes that the page that began a flow was given its credential key.
    func noteTold(_ id: FlowID) async throws(StoreError)

    /// Notes that the browser that began a flow brought its callback in vain, and gives the flow. `nil`, and nothing is
    /// changed, where the flow can still be claimed at `redirect`, or that browser had claimed it: then its page learns
    /// the outcome by asking.
    func noteLost(_ id: FlowID, at redirect: RedirectPath, now: Timestamp) async throws(StoreError) -> Flow?

    /// The state of a flow, and how it ended; `nil` where there is no such flow, or it was swept. Changes nothing.
    func outcome(of id: FlowID) async throws(StoreError) -> FlowOutcome?
}

/// The most flows that may be outstanding: begun, and neither ended nor expired. 0: no bound.
public struct FlowBounds: Sendable {
    /// Of one tenant. Exact, also for several brokers on one database.
    public var perTenant: Int
    /// Of all tenants. Counted once a second, so that several brokers on one database may exceed it together.
    public var inAll: Int

    /// Without arguments: no bounds.
    public init(perTenant: Int = 0, inAll: Int = 0) {
        self.perTenant = perTenant
        self.inAll = inAll
    }

    /// True if there is any bound, so that the store needs its index for it.
    public var isOn: Bool { perTenant > 0 || inAll > 0 }
}

/// The answer to a flow that is to begin. A flow that is not admitted leaves no trace.
public enum FlowAdmission: Sendable {
    /// The flow is kept.
    case admitted
    /// The tenant has as many outstanding as it may.
    case tenantHasTooMany
    /// All tenants together have.
    case tooMany
}
