/// The age of an issuer's keys: how long they are believed, and when they are asked for again. Only decides: the
/// clock, which must be monotonic, and the network are its user's.
package struct KeySetAge {
    typealias Instant = ContinuousClock.Instant

    /// The age that keys may have, and the times at which they may be asked for.
    package struct Rules: Sendable {
        /// The age from which keys are asked for while the old ones still serve, so that no caller waits where calls
        /// come all the time.
        var renewal: Duration
        /// A fetch of any kind counts as a search for an unknown key; else only one that was made for such a key does.
        var countsEveryFetchAsSearch: Bool
        /// The time after a failure before the issuer is asked again.
        var retryInterval: Duration
        /// The time for which a failure means that the issuer does not answer.
        var failureTells: Duration

        /// The issuer of callers' tokens: asked ahead, since calls come all the time. A failure counts while there may
        /// be several attempts, each as long as it may take.
        package static let callers = Rules(
            renewal: .seconds(120), countsEveryFetchAsSearch: true, retryInterval: .seconds(3),
            failureTells: .seconds(30))
        /// A provider: asked when a flow needs it. What a flow has begun cannot be asked again, so an unknown key is
        /// searched even where the keys were fetched just now.
        package static let providers = Rules(
            renewal: mostWhileAnswered, countsEveryFetchAsSearch: false, retryInterval: .seconds(10),
            failureTells: .seconds(10))
    }

    private let rules: Rules

    /// The moment at which the last good answer was asked for: what it says may be as old as that.
    private var askedAt: Instant?
    /// The moment at which the issuer was last asked for a key that was not there, and answered.
    private var searchedAt: Instant?
    /// The moment of the last failure; `nil` once an attempt succeeded.
    private var failedAt: Instant?

    init(_ rules: Rules) { self.rules = rules }

    /// The time for which a key that its issuer withdrew is believed at most, while the issuer answers.
    static let mostWhileAnswered: Duration = .seconds(300)
    /// The same while the issuer does not answer: its outage is not to be one of the broker.
    static let mostWhileUnanswered: Duration = .seconds(3600)
    /// The time between two searches for unknown keys: tokens that name invented keys must not make the broker flood
    /// the issuer.
    static let searchInterval: Duration = .seconds(60)

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
        let mayAsk = failedAt.map { now - $0 >= rules.retryInterval } ?? true
        guard let askedAt, isBelieved(at: now) else { return mayAsk ? .ask : .refuse }
        let age = now - askedAt
        if !sufficient, mayAsk, maySearch(at: now) { return .ask }
        if age < rules.renewal { return .use }
        let isUnanswered = failedAt.map { now - $0 < rules.failureTells } ?? false
        // The first token after an idle time: perhaps the issuer answers, and with other keys.
        guard age < Self.mostWhileAnswered || isUnanswered else { return .ask }
        return mayAsk ? .useAndAsk : .use
    }

    private func maySearch(at now: Instant) -> Bool { searchedAt.map { now - $0 >= Self.searchInterval } ?? true }

    /// Tells whether the keys at hand are new enough to do: a caller that asks nevertheless searches for a key that is
    /// not among them.
    func isFresh(at now: Instant) -> Bool { askedAt.map { now - $0 < Self.mostWhileAnswered } ?? false }

    /// Tells whether the keys at hand may be used at all.
    func isBelieved(at now: Instant) -> Bool {
        askedAt.map { now - $0 < Self.mostWhileUnanswered } ?? false
    }

    /// Tells whether an answer is younger than the one at hand.
    func isNews(askedAt: Instant) -> Bool { self.askedAt.map { askedAt >= $0 } ?? true }

    /// - Parameter forUnknownKey: keys were at hand, and it was asked because one was not among them.
    mutating func answered(askedAt: Instant, forUnknownKey: Bool) {
        self.askedAt = askedAt
        if forUnknownKey || rules.countsEveryFetchAsSearch { searchedAt = askedAt }
        failedAt = nil
    }

    mutating func failed(at now: Instant) { failedAt = now }
}
