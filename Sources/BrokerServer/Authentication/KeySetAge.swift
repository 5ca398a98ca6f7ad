/// The age of an issuer's keys: how long they are believed, and when they are asked for again. Decides alone: the
/// clock, which nobody can set, and the network are its user's.
struct KeySetAge {
    typealias Instant = ContinuousClock.Instant

    /// When the last good answer was asked for. What it says may be as old as that.
    private var askedAt: Instant?
    /// When an attempt failed; `nil` once one did not.
    private var failedAt: Instant?

    /// A key that its issuer withdrew is believed for at most so long while the issuer answers, …
    static let mostWhileAnswered: Duration = .seconds(300)
    /// … and for so long while it does not: an outage of the issuer is not one of the broker.
    static let mostWhileUnanswered: Duration = .seconds(3600)
    /// Ahead of the end, so that no caller waits where calls come all the time.
    static let renewal: Duration = .seconds(120)
    /// Nobody can make the broker hammer the issuer with tokens that name keys of their own invention.
    static let searchInterval: Duration = .seconds(60)
    static let retryInterval: Duration = .seconds(3)
    /// A failure tells for so long that the issuer does not answer: several attempts, each as long as it may take.
    static let failureTells: Duration = .seconds(30)

    /// A thing to do with the keys at hand.
    enum Step: Equatable {
        case use
        /// They do; new ones are asked for meanwhile.
        case useAndAsk
        /// They do not, before the issuer was asked.
        case ask
        /// They do not, and the issuer was asked just now.
        case refuse

        var asks: Bool { self == .useAndAsk || self == .ask }
    }

    /// - Parameter sufficient: the keys at hand do for the token at hand.
    func step(at now: Instant, sufficient: Bool) -> Step {
        let mayAsk = failedAt.map { now - $0 >= Self.retryInterval } ?? true
        guard let askedAt, isBelieved(at: now) else { return mayAsk ? .ask : .refuse }
        let age = now - askedAt
        if !sufficient, age >= Self.searchInterval, mayAsk { return .ask }
        if age < Self.renewal { return .use }
        let isUnanswered = failedAt.map { now - $0 < Self.failureTells } ?? false
        // The first token after an idle time: perhaps the issuer answers, and with other keys.
        guard age < Self.mostWhileAnswered || isUnanswered else { return .ask }
        return mayAsk ? .useAndAsk : .use
    }

    /// Tells whether the keys at hand may be used at all.
    func isBelieved(at now: Instant) -> Bool {
        askedAt.map { now - $0 < Self.mostWhileUnanswered } ?? false
    }

    mutating func answered(askedAt: Instant) {
        self.askedAt = askedAt
        failedAt = nil
    }

    mutating func failed(at now: Instant) { failedAt = now }
}
