/// The number of documents to mark as in work at once. Slow ones are marked when there is a place for them, as the mark
/// says; fast ones, which would wait longer for the disk than for their source, share a commit.
struct BeginPace: Sendable {
    /// As many are marked ahead as are done in this time.
    private let horizon: Duration = .milliseconds(25)
    private let most = 64
    private var (last, done): (ContinuousClock.Instant?, Int) = (nil, 0)
    /// Documents to be marked beside those that have a place.
    private(set) var ahead = 0

    mutating func documentDone() { done += 1 }

    mutating func begins(at now: ContinuousClock.Instant) {
        if let last {
            let elapsed = max(now - last, .microseconds(1))
            let rate = Double(done) * (horizon / elapsed)
            // From few to many step by step: one fast document says little about the next ones.
            ahead = Int(min(rate, Double(2 * done), Double(most)))
        }
        (last, done) = (now, 0)
    }
}
