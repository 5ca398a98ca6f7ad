import HTTPTypes
import Hummingbird

/// Lets each key's owner call so often, and tells how often that is.
struct RateLimit<Key: Hashable & Sendable>: Sendable {
    private let name: String
    /// `nil`: no limit.
    private let buckets: TokenBuckets<Key>?

    init(_ name: String, perSecond: Double, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        self.name = name
        guard perSecond > 0 else {
            buckets = nil
            return
        }
        // Ten seconds' worth at once; at rates below one in ten seconds still one.
        buckets = TokenBuckets(perSecond: perSecond, capacity: max(1, Int(perSecond * 10 + 1e-9)), now: now)
    }

    var isOn: Bool { buckets != nil }

    /// The answer of `body`, or, beyond the limit, of `refuse`. Nothing of `body` runs then.
    func admit(
        _ key: @autoclosure () -> Key, _ body: () async throws -> Response,
        refusing refuse: (Problem) throws -> Response = { throw $0 }
    ) async throws -> Response {
        guard let buckets else { return try await body() }
        let quota = buckets.take(key())
        let headers = headers(buckets, quota)
        if let wait = quota.retryAfter { return try refuse(.rateLimited(after: wait, headers)) }
        do {
            var response = try await body()
            response.headers.append(contentsOf: headers)
            return response
        } catch var problem as Problem {
            problem.headers.append(contentsOf: headers)
            throw problem
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
