import Formats
import Transport

/// An answer of the broker, or of something that stands in front of it.
struct BrokerAnswer {
    let status: Int
    private let response: TransportResponse
    private let now: Timestamp

    init(_ response: TransportResponse, now: Timestamp) {
        status = response.status
        self.response = response
        self.now = now
    }

    /// The value that `read` makes of the members of a 200; else the error that the answer is.
    ///
    /// Members that nobody asks for are passed over; a member that comes twice is not taken (RFC 8259 § 4).
    func read<Value>(_ read: ([String: JSONValue]) -> Value?) throws(BrokerError) -> Value {
        guard status == 200 else { throw fault }
        guard let members = try? StrictJSON.object(response.body, by: .trusted), let value = read(members) else {
            throw .malformedAnswer(status: status)
        }
        return value
    }

    /// The error that a refusal is, by the `code` of its problem (RFC 9457 § 3.2). Its sentences are not kept: nobody
    /// knows what a stranger in front of the broker writes into them.
    var fault: BrokerError {
        // A success that the call does not know.
        guard !(200..<300).contains(status) else { return .malformedAnswer(status: status) }
        let problem = try? StrictJSON.object(response.body)
        return BrokerError(
            status: status, code: ErrorCode.read(problem?["code"]), retryAfter: retryAfter,
            required: ErrorCode.read(problem?["required"]))
    }

    /// `Retry-After` in seconds or as a date (RFC 9110 § 10.2.3), at most a day.
    private var retryAfter: Duration? {
        guard let text = response.header("retry-after") else { return nil }
        if let seconds = Int64(text) { return seconds < 0 ? nil : .seconds(min(seconds, Self.day)) }
        return HTTPDate.read(text, at: now).map { date in
            .milliseconds(min(max(date.milliseconds - now.milliseconds, 0), Self.day * 1000))
        }
    }

    private static let day: Int64 = 86_400
}

/// Words that programs act on, such as `wrong_tenant` and `assets:write`.
enum ErrorCode {
    /// `nil` unless 1 to 64 of `a-z 0-9 . _ : -`: no token or text of a person is kept by mistake.
    static func read(_ value: JSONValue?) -> String? {
        guard let text = value?.string, (1...64).contains(text.utf8.count), text.utf8.allSatisfy(isAllowed) else {
            return nil
        }
        return text
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7A, 0x30...0x39, 0x2D, 0x2E, 0x3A, 0x5F: true
        default: false
        }
    }
}
