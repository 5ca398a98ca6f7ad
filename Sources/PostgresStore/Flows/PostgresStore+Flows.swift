public import Broker
public import Formats
import Secrets

/// The life of a flow.
extension PostgresStore {
    /// Counts and inserts in one transaction, so that no other broker comes in between. Without admission nothing is
    /// recorded.
    public func start(_ flow: Flow, recording event: Event) async throws(StoreError) -> FlowAdmission {
        try await writer.perform { .start(flow, event, $0) }
    }

    /// `nil` for each reason alike: unknown, another address, claimed before, expired or revoked.
    public func claim(
        _ id: FlowID, at redirect: RedirectPath, isBound: Bool, now: Timestamp
    ) async throws(StoreError) -> Flow? {
        try await writer.perform { .claim(id, redirect, isBound: isBound, now: now, $0) }
    }

    /// Keeps the sealed copy of the key only for a flow that is bound to the browser that began it. Taken however many
    /// operations wait.
    public func succeed(
        _ id: FlowID, with stored: StoredCredentialKey, recording event: Event
    ) async throws(StoreError) -> Bool {
        try await writer.perform(isEnding: true) { .succeed(id, stored, event, $0) }
    }

    /// Changes no flow that is not being exchanged, but records the event all the same. Taken however many operations
    /// wait.
    public func fail(
        _ id: FlowID, error: String, description: String?, recording event: Event
    ) async throws(StoreError) {
        try await writer.perform(isEnding: true) { .fail(id, error: error, description: description, event, $0) }
    }

    /// Marks the flow as told.
    public func noteTold(_ id: FlowID) async throws(StoreError) {
        try await writer.perform { .noteTold(id, $0) }
    }

    /// Marks the flow as lost, unless its callback can still come or had come from the same browser.
    public func noteLost(_ id: FlowID, at redirect: RedirectPath, now: Timestamp) async throws(StoreError) -> Flow? {
        try await writer.write { transaction in
            let parameters: [Parameter] = [
                .bytes(id.bytes), .text(redirect.description), .int(now.milliseconds),
            ]
            return try transaction.query(.noteLost, parameters).first.flatMap(FlowRow.flow)
        }
    }

    /// Sees all that was committed before, and holds up no write: anybody may ask, as often as they like. A flow that an
    /// operator took back reads as failed.
    public func outcome(of id: FlowID) async throws(StoreError) -> FlowOutcome? {
        try await reader.read { try $0.query(.outcome, [.bytes(id.bytes)]).first.flatMap(FlowRow.outcome) }
    }
}
