import Secrets

/// The events that many tasks send to the one that decides, in the order in which they came.
final class Mailbox<Event: Sendable>: Sendable {
    private struct State: Sendable {
        var events: [Event] = []
        var reader: CheckedContinuation<Void, Never>?
        var isOver = false
    }

    private let state = Locked(State())

    /// `false` where the mailbox is closed: nobody will read the event.
    @discardableResult
    func send(_ event: Event) -> Bool {
        let (isKept, reader) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard !state.isOver else { return (false, nil) }
            state.events.append(event)
            defer { state.reader = nil }
            return (true, state.reader)
        }
        reader?.resume()
        return isKept
    }

    /// The events since the last call, one at least; `nil` once the reader's task is cancelled, or the box is closed.
    func next() async -> [Event]? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let mayGoOn = state.withLock { state in
                    guard state.events.isEmpty, !state.isOver, !Task.isCancelled else { return true }
                    state.reader = continuation
                    return false
                }
                if mayGoOn { continuation.resume() }
            }
        } onCancel: {
            wake()
        }
        guard !Task.isCancelled else { return nil }
        return state.withLock { state in
            defer { state.events = [] }
            return state.isOver ? nil : state.events
        }
    }

    /// Takes no more events, and gives those that nobody read.
    func close() -> [Event] {
        defer { wake() }
        return state.withLock { state in
            state.isOver = true
            defer { state.events = [] }
            return state.events
        }
    }

    private func wake() {
        let reader = state.withLock { state in
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }
}
