import CCurl
import Secrets
import Transport

/// The place where callers leave requests and cancellations for the loop's thread.
///
/// `@unchecked Sendable`: the multi handle is only ever woken here, which libcurl allows from any thread, under the
/// lock of `state` and while it `isOpen`; the loop frees it after it has seen `isOpen` false under the same lock. So a
/// freed handle is never woken. All that changes is in `state`.
final class Inbox: @unchecked Sendable {
    struct Mail: Sendable {
        var submitted: [Call] = []
        var cancelled: [Call] = []

        var isEmpty: Bool { submitted.isEmpty && cancelled.isEmpty }
    }

    private struct State: Sendable {
        var mail = Mail()
        var isOpen: Bool
        /// The number of calls that wait in the loop, as it said last.
        var waitingInLoop = 0
        /// A wake-up costs a system call, so it is left out while the loop is awake and will look in anyway.
        var isLoopAsleep = false

        var waiting: Int { waitingInLoop + mail.submitted.count }
    }

    private let state: Locked<State>
    private let multi: UnsafeMutableRawPointer?
    private let maxWaiting: Int

    /// - Parameters:
    ///   - multi: what the loop sleeps in. Without it the inbox is closed from the start.
    ///   - maxWaiting: the calls that may wait, here and in the loop.
    init(waking multi: UnsafeMutableRawPointer?, maxWaiting: Int) {
        self.multi = multi
        self.maxWaiting = maxWaiting
        state = Locked(State(isOpen: multi != nil))
    }

    // MARK: Callers

    /// Hands the call over. One that is already cancelled, is one too many, or comes after `close`, is answered here.
    func submit(_ call: Call, _ continuation: CheckedContinuation<Call.Answer, Never>) {
        let refusal: TransportError? = state.withLock { state in
            guard state.isOpen, !call.isCancelled else { return .cancelled }
            guard state.waiting < maxWaiting else { return .overloaded }
            call.continuation = continuation
            state.mail.submitted.append(call)
            wakeLoop(&state)
            return nil
        }
        if let refusal { continuation.resume(returning: .failure(refusal)) }
    }

    /// The number of calls that wait for their turn.
    var waitingCount: Int { state.withLock { $0.waiting } }

    func cancel(_ call: Call) {
        state.withLock { state in
            call.isCancelled = true
            guard state.isOpen else { return }
            state.mail.cancelled.append(call)
            wakeLoop(&state)
        }
    }

    /// Takes no more requests and tells the loop to end.
    func close() {
        state.withLock { state in
            guard state.isOpen else { return }
            state.isLoopAsleep = true  // always wake it
            wakeLoop(&state)
            state.isOpen = false
        }
    }

    // MARK: The loop

    /// Exchanges the mail for the empty `mail` given. False once the inbox is closed; the last mail is given out still.
    /// - Parameter waiting: the number of calls that wait in the loop, without the mail it takes.
    func take(_ mail: inout Mail, waiting: Int) -> Bool {
        state.withLock { state in
            swap(&state.mail, &mail)
            state.waitingInLoop = waiting + mail.submitted.count
            state.isLoopAsleep = false
            return state.isOpen
        }
    }

    /// Tells whether the loop may go to sleep; from then on mail wakes it.
    func fallAsleep(waiting: Int) -> Bool {
        state.withLock { state in
            state.waitingInLoop = waiting
            state.isLoopAsleep = state.mail.isEmpty && state.isOpen
            return state.isLoopAsleep
        }
    }

    private func wakeLoop(_ state: inout State) {
        guard state.isLoopAsleep, let multi else { return }
        state.isLoopAsleep = false
        curl_multi_wakeup(multi)
    }
}
