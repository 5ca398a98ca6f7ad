import Transport

/// One `send` on its way: its request, its deadline, and the caller that waits for the answer.
///
/// `@unchecked Sendable`: `request` and `deadline` never change. The rest is guarded by the lock of the inbox's state
/// until the loop has taken the call out of the inbox; from then on only the loop's thread touches it, save
/// `isCancelled`, which stays the lock's.
final class Call: @unchecked Sendable {
    typealias Answer = Result<TransportResponse, TransportError>

    let request: TransportRequest
    /// The moment at which the caller gets `.timedOut`, wherever the call is then.
    let deadline: ContinuousClock.Instant
    /// Set by a cancellation that came before the call was submitted.
    var isCancelled = false
    var continuation: CheckedContinuation<Answer, Never>?
    /// The transfer that carries the call; `nil` while it waits and once it is answered.
    var transfer: Transfer?

    init(_ request: TransportRequest, deadline: ContinuousClock.Instant) {
        self.request = request
        self.deadline = deadline
    }

    var isAnswered: Bool { continuation == nil }

    /// Answers the caller. Only the first answer counts.
    func answer(_ answer: Answer) {
        continuation?.resume(returning: answer)
        continuation = nil
    }
}
