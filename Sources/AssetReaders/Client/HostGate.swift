import Assets
import Secrets

/// Lets a few requests at once to each host, in the order in which they came.
final class HostGate: Sendable {
    private struct Waiter: Sendable {
        let id: Int
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct Lane: Sendable {
        var running = 0
        var waiters: [Waiter] = []
    }

    private struct State: Sendable {
        /// Those alone in which something runs or waits.
        var lanes: [String: Lane] = [:]
        var lastID = 0
    }

    private let most: Int
    private let state = Locked(State())

    /// - Parameter most: requests at once to one host, at least 1.
    init(most: Int) {
        self.most = max(most, 1)
    }

    /// Runs `body` when there is room. Throws `.cancelled` where the task was cancelled while it waited.
    func pass<Value>(
        to host: String, _ body: () async throws(SourceFault) -> Value
    ) async throws(SourceFault) -> Value {
        guard await enter(host) else { throw .cancelled }
        defer { leave(host) }
        return try await body()
    }

    /// The number of those that wait. For tests.
    var waitingCount: Int { state.withLock { $0.lanes.values.reduce(0) { $0 + $1.waiters.count } } }

    private func enter(_ host: String) async -> Bool {
        let id = state.withLock { state -> Int? in
            if state.lanes[host, default: Lane()].running < most {
                state.lanes[host, default: Lane()].running += 1
                return nil
            }
            state.lastID += 1
            return state.lastID
        }
        guard let id else { return true }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { wait(Waiter(id: id, continuation: $0), at: host) }
        } onCancel: {
            withdraw(id, from: host)
        }
    }

    private func wait(_ waiter: Waiter, at host: String) {
        let hasRoom = state.withLock { state in
            // There may be room since it was looked for.
            let hasRoom = state.lanes[host, default: Lane()].running < most
            if hasRoom {
                state.lanes[host, default: Lane()].running += 1
            } else {
                state.lanes[host]?.waiters.append(waiter)
            }
            return hasRoom
        }
        if hasRoom { return waiter.continuation.resume(returning: true) }
        // A cancellation that came before it waited found nobody.
        if Task.isCancelled { withdraw(waiter.id, from: host) }
    }

    private func withdraw(_ id: Int, from host: String) {
        let waiter = state.withLock { state -> Waiter? in
            guard let place = state.lanes[host]?.waiters.firstIndex(where: { $0.id == id }) else { return nil }
            return state.lanes[host]?.waiters.remove(at: place)
        }
        waiter?.continuation.resume(returning: false)
    }

    private func leave(_ host: String) {
        let next = state.withLock { state -> Waiter? in
            guard var lane = state.lanes[host] else { return nil }
            // The next one takes over the place of the one that leaves.
            let next = lane.waiters.isEmpty ? nil : lane.waiters.removeFirst()
            if next == nil { lane.running -= 1 }
            state.lanes[host] = lane.running == 0 ? nil : lane
            return next
        }
        next?.continuation.resume(returning: true)
    }
}
