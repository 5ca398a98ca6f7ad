import Formats
import Transport

extension TransportResponse {
    /// Tells whether the same request may succeed later: the source is overloaded, or limits its callers.
    var asksToTryAgain: Bool {
        switch status {
        case 429, 500, 502, 503, 504: true
        case 403: hasSignsOfLimit
        default: false
        }
    }

    /// GitHub and Drive answer 403 where others answer 429.
    private var hasSignsOfLimit: Bool {
        header("retry-after") != nil || header("x-ratelimit-remaining") == "0" || namesLimit
    }

    /// The secondary limits of GitHub may come without any header, and Drive names a limit in its body alone:
    /// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    /// https://developers.google.com/workspace/drive/api/guides/handle-errors
    private var namesLimit: Bool {
        // An answer that says no more than this is short.
        guard body.count <= 65_536, case .object(let answer)? = JSONValue(json: body) else { return false }
        let message = answer["message"]?.string
        if HeaderValue.mentions("rate limit", message) || HeaderValue.mentions("abuse detection", message) {
            return true
        }
        return driveReasons.contains { $0 == "rateLimitExceeded" || $0 == "userRateLimitExceeded" }
    }

    /// The reasons in an error of Google's.
    var driveReasons: [String] {
        guard body.count <= 65_536, case .object(let answer)? = JSONValue(json: body),
            case .object(let error)? = answer["error"], case .array(let errors)? = error["errors"]
        else { return [] }
        return errors.compactMap { if case .object(let error) = $0 { error["reason"]?.string } else { nil } }
    }

    /// The wait that the source asks for; `nil` where it names none. May be long: it is the source's word.
    func askedWait(at now: Timestamp) -> Duration? {
        // A date is of the source's clock, which its `Date` tells.
        let now = header("date").flatMap { HTTPDate.read($0, at: now) } ?? now
        if let text = header("retry-after") {
            // RFC 9110 § 10.2.3
            return Self.seconds(text) ?? HTTPDate.read(text, at: now).map { Self.wait(from: now, to: $0) }
        }
        let remaining = header("x-ratelimit-remaining")
        guard remaining == nil || remaining == "0", let text = header("x-ratelimit-reset"),
            let reset = Self.seconds(text)
        else { return nil }
        // GitHub tells the moment, others the seconds until then: no moment of today has so few.
        guard reset >= .seconds(1_000_000_000) else { return reset }
        return max(.zero, reset - .milliseconds(now.milliseconds))
    }

    private static func wait(from now: Timestamp, to moment: Timestamp) -> Duration {
        max(.zero, .milliseconds(moment.milliseconds) - .milliseconds(now.milliseconds))
    }

    /// Whole seconds; a number beyond a century counts as one.
    private static func seconds(_ text: String) -> Duration? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return .seconds(min(Int(text) ?? .max, 3_155_760_000))
    }
}
