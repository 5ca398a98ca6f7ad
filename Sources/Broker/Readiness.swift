import Secrets

/// Tells whether the store can write, tried at most ten times a second however often it is asked: each try is a write
/// of its own, and anybody may ask.
struct Readiness: Sendable {
    // A failure is tried again each time: it wrote nothing, and a recovery should show at once.
    private let answers = SingleFlightCache<Bool, Void, StoreError, Never>(
        .init(fresh: .milliseconds(100)), capacity: 2)

    func check(_ store: any MaintenanceStore) async throws(StoreError) {
        try await answers.value(for: true) { () async throws(StoreError) in try await store.check() }
    }
}
