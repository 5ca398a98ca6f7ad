import Secrets

/// The steps that were told so far, in their order.
final class Narration: Sendable {
    private let steps = Locked<[Reason]>([])

    var all: [Reason] { steps.withLock { $0 } }

    func add(_ step: Reason) { steps.withLock { $0.append(step) } }
}
