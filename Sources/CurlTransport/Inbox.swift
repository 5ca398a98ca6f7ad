import CCurl
import Transport

/// Where callers leave requests and cancellations for the loop's thread.
///
/// `@unchecked Sendable`: `lock` guards everything that changes. The multi handle is only ever woken here, which
/// libcurl allows from any thread, under the lock and while `isOpen`; the loop frees it after it has seen `isOpen`
/// false under the same lock. So a freed handle is never woken.
final class Inbox: @unchecked Sendable {
    struct Mail {
        var submitted: [Call] = []
        var cancelled: [Call] = []

        var isEmpty: Bool { submitted.isEmpty && cancelled.isEmpty }
    }

    private let lock = Lock()
    private let multi: UnsafeMutableRawPointer?
    private var mail = Mail()
    private var isOpen: Bool
    private let maxWaiting: Int
    /// How many calls wait in the loop, as it said last.
    private var waitingInLoop = 0
    /// A wake-up costs a system call, so it is left out while the loop is awake and will look in anyway.
    private var isLoopAsleep = false

    /// - Parameters:
    ///   - multi: What the loop sleeps in. Without it the inbox is closed from the start.
    ///   - maxWaiting: How many calls may wait, here and in the loop.
    init(waking multi: UnsafeMutableRawPointer?, maxWaiting: Int) {
        self.multi = multi
        self.maxWaiting = maxWaiting
        isOpen = multi != nil
    }

    // MARK: Callers

    /// Hands the call over. One that is already cancelled, is one too many, or comes after `close`, is answered here.
    func submit(_ call: Call, _ continuation: CheckedContinuation<Call.Answer, Never>) {
        let refusal: TransportError? = lock.withLock {
            guard isOpen, !call.isCancelled else { return .cancelled }
            guard waiting < maxWaiting else { return .overloaded }
            call.continuation = continuation
            mail.submitted.append(call)
            wakeLoop()
            return nil
        }
        if let refusal { continuation.resume(returning: .failure(refusal)) }
    }

    /// How many wait for their turn.
    var waitingCount: Int { lock.withLock { waiting } }

    private var waiting: Int { waitingInLoop + mail.submitted.count }

    func cancel(_ call: Call) {
        lock.withLock {
            call.isCancelled = true
            guard isOpen else { return }
            mail.cancelled.append(call)
            wakeLoop()
        }
    }

    /// Takes no more requests and tells the loop to end.
    func close() {
        lock.withLock {
            guard isOpen else { return }
            isLoopAsleep = true  // always wake it
            wakeLoop()
            isOpen = false
        }
    }

    // MARK: The loop

    /// Exchanges the mail for the empty `mail` given. False once the inbox is closed; the last mail is given out still.
    /// - Parameter waiting: How many calls wait in the loop, without the mail it takes.
    func take(_ mail: inout Mail, waiting: Int) -> Bool {
        lock.withLock {
            swap(&self.mail, &mail)
            waitingInLoop = waiting + mail.submitted.count
            isLoopAsleep = false
            return isOpen
        }
    }

    /// Whether the loop may go to sleep; from then on mail wakes it.
    func fallAsleep(waiting: Int) -> Bool {
        lock.withLock {
            waitingInLoop = waiting
            isLoopAsleep = mail.isEmpty && isOpen
            return isLoopAsleep
        }
    }

    private func wakeLoop() {
        guard isLoopAsleep, let multi else { return }
        isLoopAsleep = false
        curl_multi_wakeup(multi)
    }
}
