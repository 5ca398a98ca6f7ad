import Formats
import Transport

/// The rule by which a request is sent again that met a limit, an overload or a broken connection.
public struct RetryPolicy: Sendable {
    /// All tries, the first included; at least 1.
    public var attempts: Int
    /// The wait after the first try, doubled after each further one, where the source names none.
    public var base: Duration
    /// The longest wait, whoever asks for it.
    public var longest: Duration

    public init(attempts: Int = 5, base: Duration = .seconds(1), longest: Duration = .seconds(60)) {
        self.attempts = attempts
        self.base = base
        self.longest = longest
    }

    /// The wait after a try before the next one; `nil` where there is none.
    ///
    /// - Parameters:
    ///   - number: counts the tries from 1.
    ///   - random: from 0 to 1. Those who were turned away together come back one by one.
    func wait(
        after outcome: Result<TransportResponse, TransportError>, try number: Int, at now: Timestamp, random: Double
    ) -> Duration? {
        switch outcome {
        case .success(let response):
            response.asksToTryAgain ? wait(after: number, asked: response.askedWait(at: now), random: random) : nil
        case .failure(let error):
            error.isPassing ? wait(after: number, asked: nil, random: random) : nil
        }
    }

    /// The wait after a try whose outcome may pass; `nil` after the last one.
    ///
    /// - Parameter asked: the wait that the other side names.
    package func wait(after number: Int, asked: Duration?, random: Double) -> Duration? {
        number < attempts ? min(asked ?? backoff(after: number, random), longest) : nil
    }

    private func backoff(after number: Int, _ random: Double) -> Duration {
        // Twenty doublings of a millisecond are a quarter of an hour.
        let doubled = base * (1 << min(number - 1, 20))
        return doubled + doubled * (min(max(random, 0), 1) / 4)
    }
}

extension TransportError {
    /// Tells whether the same request may succeed a little later: what broke is the connection or the way to it.
    var isPassing: Bool {
        switch self {
        case .unreachable, .connectionRefused, .nameNotResolved, .proxyFailed, .overloaded, .rateLimited: true
        case .timedOut, .tlsFailed, .addressNotAllowed, .responseTooLarge, .malformedResponse, .cancelled: false
        }
    }
}
