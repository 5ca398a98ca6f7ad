import Broker
import CCurl

/// Where callers leave requests and cancellations for the loop's thread.
///
/// `@unchecked Sendable`: `lock` guards everything that changes. The multi handle is only ever woken here, which
/// libcurl allows from any thread, under the lock and while `isOpen`; the loop frees it after it has seen `isOpen` false
/// under the same lock. So a freed handle is never woken.
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
    /// A wake-up costs a system call, so it is left out while the loop is awake and will look in anyway.
    private var isLoopAsleep = false

    /// - Parameter multi: What the loop sleeps in. Without it the inbox is closed from the start.
    init(waking multi: UnsafeMutableRawPointer?) {
        self.multi = multi
        isOpen = multi != nil
    }

    // MARK: Callers

    /// Hands the call over. One that is already cancelled, or comes after `close`, is answered here.
    func submit(_ call: Call, _ continuation: CheckedContinuation<Call.Answer, Never>) {
        let isAccepted = lock.withLock {
            guard isOpen, !call.isCancelled else { return false }
            call.continuation = continuation
            mail.submitted.append(call)
            wakeLoop()
            return true
        }
        if !isAccepted { continuation.resume(returning: .failure(.cancelled)) }
    }

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
    func take(_ mail: inout Mail) -> Bool {
        lock.withLock {
            swap(&self.mail, &mail)
            isLoopAsleep = false
            return isOpen
        }
    }

    /// Whether the loop may go to sleep; from then on mail wakes it.
    func fallAsleep() -> Bool {
        lock.withLock {
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
