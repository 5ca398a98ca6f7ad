public import Formats

/// Keeps flows, from `authorize` to their end.
///
/// Each call of this and the other stores is atomic and durable before it returns, together with the event that tells of
/// it.
public protocol FlowStore: Sendable {
    /// Keeps a new flow, unless too many are outstanding.
    func start(_ flow: Flow, recording event: Event) async throws(StoreError) -> FlowAdmission

    /// Spends a flow's state: of all calls for one flow, exactly one gets it, and only while it has neither expired
    /// nor been revoked. A callback that came to another address than `redirect` changes nothing.
    func claim(
        _ id: FlowID, at redirect: RedirectPath, isBound: Bool, now: Timestamp
    ) async throws(StoreError) -> Flow?

    /// Keeps the credential key of a claimed flow. `false`: the flow is not waiting for one (it was swept or revoked).
    func succeed(_ id: FlowID, with stored: StoredCredentialKey, recording event: Event) async throws(StoreError)
        -> Bool

    /// Ends a claimed flow without a credential key.
    func fail(
        _ id: FlowID, error: String, description: String?, recording event: Event
    ) async throws(StoreError)

    /// Notes that the page that began a flow was given its credential key.
    func noteTold(_ id: FlowID) async throws(StoreError)

    /// Notes that the browser that began a flow brought its callback in vain, and gives the flow. `nil`, and nothing is
    /// changed, where the flow can still be claimed at `redirect`, or that browser had claimed it: then its page learns
    /// the outcome by asking.
    func noteLost(_ id: FlowID, at redirect: RedirectPath, now: Timestamp) async throws(StoreError) -> Flow?

    /// The state of a flow, and how it ended. Changes nothing.
    func outcome(of id: FlowID) async throws(StoreError) -> FlowOutcome?
}

/// The numbers of flows that may be outstanding: begun, and neither ended nor expired. 0: no bound.
public struct FlowBounds: Sendable {
    public var perTenant: Int
    public var inAll: Int

    public init(perTenant: Int = 0, inAll: Int = 0) {
        self.perTenant = perTenant
        self.inAll = inAll
    }

    public var isOn: Bool { perTenant > 0 || inAll > 0 }
}

/// The answer to a flow that is to begin. One that was not left no trace.
public enum FlowAdmission: Sendable {
    case admitted
    case tenantHasTooMany
    case tooMany
}
