package import Formats
import HTTPTypes
package import Hummingbird

/// Lets each key's owner call so often, and tells how often that is.
///
/// Its keys are of one type, so that no generic code runs across modules in every request.
package struct RateLimit: Sendable {
    /// Those whose requests are counted together.
    package enum Key: Hashable, Sendable {
        /// A tenant's, whose name was verified.
        case name(String)
        /// A client's; see `IPAddress.network`. All whose address is unknown share one bucket.
        case network(IPAddress?)
    }

    private let name: String
    /// `nil`: no limit.
    private let buckets: TokenBuckets<Key>?

    /// Lets ten seconds' worth of requests through at once.
    ///
    /// - Parameters:
    ///   - name: of what is counted, for callers.
    ///   - perSecond: 0 or less: no limit.
    ///   - share: the processes that let a part of it through each; `nil`: this one lets all through.
    ///   - now: a monotonic clock.
    package init(
        _ name: String, perSecond: Double, share: LimitShare? = nil,
        now: @escaping @Sendable () -> ContinuousClock.Instant
    ) {
        self.name = name
        guard perSecond > 0 else {
            buckets = nil
            return
        }
        // Ten seconds' worth at once; at rates below one in ten seconds still one.
        buckets = TokenBuckets(
            perSecond: perSecond, capacity: max(1, Int(perSecond * 10 + 1e-9)), share: share, now: now)
    }

    /// False: `admit` lets everything through and adds no headers.
    package var isOn: Bool { buckets != nil }

    /// The answer of `body`. Beyond the limit nothing of it runs, and what `refuse` makes of the problem is thrown.
    package func admit(
        _ key: @autoclosure () -> Key, _ body: () async throws -> Response,
        refusing refuse: (Problem) -> any Error = { $0 }
    ) async throws -> Response {
        guard let buckets else { return try await body() }
        let quota = buckets.take(key())
        let headers = headers(buckets, quota)
        if let wait = quota.retryAfter { throw refuse(.rateLimited(after: wait, headers)) }
        do {
            var response = try await body()
            response.headers.append(contentsOf: headers)
            return response
        } catch var problem as Problem {
            problem.headers.append(contentsOf: headers)
            throw problem
        } catch var answered as AnsweredProblem {
            answered.response.headers.append(contentsOf: headers)
            throw answered
        }
    }

    /// The fields of draft-ietf-httpapi-ratelimit-headers: quota and window, remaining and seconds until all is back.
    private func headers(_ buckets: TokenBuckets<Key>, _ quota: TokenBuckets<Key>.Quota) -> HTTPFields {
        [
            .rateLimitPolicy: "\"\(name)\";q=\(buckets.capacity);w=\(buckets.window)",
            .rateLimit: "\"\(name)\";r=\(quota.remaining);t=\(quota.reset)",
        ]
    }
}

extension RateLimit {
    /// The handler, for as many requests of one client's network as the limit lets through.
    package func around(
        _ handler: @escaping Handler,
        refusing refuse: @escaping @Sendable (Problem, Request, Context) -> any Error = { problem, _, _ in problem }
    ) -> Handler {
        guard isOn else { return handler }
        return { request, context in
            try await admit(.network(context.clientAddress(of: request)?.network)) {
                try await handler(request, context)
            } refusing: {
                refuse($0, request, context)
            }
        }
    }
}

extension Problem {
    fileprivate static func rateLimited(after seconds: Int, _ headers: HTTPFields) -> Problem {
        var headers = headers
        headers[.retryAfter] = String(seconds)
        return Problem(
            status: .tooManyRequests, code: "rate_limited",
            detail: "too many requests; try again in \(seconds) seconds", headers: headers)
    }
}

extension HTTPField.Name {
    fileprivate static let rateLimit = HTTPField.Name("RateLimit")!
    fileprivate static let rateLimitPolicy = HTTPField.Name("RateLimit-Policy")!
}
