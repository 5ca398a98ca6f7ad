import Formats
import Foundation
import Secrets
import Testing
import Transport

@testable import BrokerClient

/// Plays the broker: answers as a test says, and keeps what it was asked.
final class ScriptedBroker: HTTPTransport, @unchecked Sendable {
    // `@unchecked`: `kept` is guarded by `lock`.
    private let lock = NSLock()
    private var kept: [TransportRequest] = []
    private let answer: @Sendable (_ number: Int) async throws(TransportError) -> TransportResponse

    /// - Parameter answer: given the request's number, from 1.
    init(_ answer: @escaping @Sendable (_ number: Int) async throws(TransportError) -> TransportResponse) {
        self.answer = answer
    }

    convenience init(_ status: Int, _ body: String = "", headers: [(name: String, value: String)] = []) {
        self.init { _ in TransportResponse(status: status, headers: headers, body: Array(body.utf8)) }
    }

    var requests: [TransportRequest] { lock.withLock { kept } }

    func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
        let number = lock.withLock {
            kept.append(request)
            return kept.count
        }
        return try await answer(number)
    }
}

/// A clock that stands until a test moves it.
final class TestClock: @unchecked Sendable {
    // `@unchecked`: `time` is guarded by `lock`.
    private let lock = NSLock()
    private var time = Timestamp(milliseconds: 1_790_000_000_000)

    @Sendable func now() -> Timestamp { lock.withLock { time } }

    func advance(seconds: Int64) { lock.withLock { time = time.adding(seconds: seconds) } }
}

enum Sample {
    static let tenant = tenant("acme")

    static func tenant(_ name: String) -> TenantID {
        guard let tenant = TenantID(name) else { preconditionFailure("not a tenant: \(name)") }
        return tenant
    }

    static let credentials = """
        {"accessToken":"acc3ss","refreshToken":"r3fresh","tokenType":"Bearer","expiresAt":1790003600000,
         "scope":"read write","sourceType":"google_drive","idToken":null,
         "extras":{"dpopKey":{"d":"pr1vate"},"instanceUrl":"https://x.example"},"warnings":["expiry_unknown"]}
        """

    static func problem(_ status: Int, _ code: String, headers: [(name: String, value: String)] = []) -> ScriptedBroker
    {
        ScriptedBroker(
            status, #"{"type":"about:blank","status":\#(status),"code":"\#(code)","detail":"words","requestId":"r"}"#,
            headers: headers)
    }

    static func client(
        _ broker: ScriptedBroker, url: String = "https://broker.example.com",
        _ authorization: BrokerAuthorization = .anonymous, clock: TestClock = TestClock()
    ) throws -> BrokerClient {
        BrokerClient(
            url: try #require(StrictURL(url)), transport: broker, authorization: authorization, now: clock.now)
    }
}

extension TransportRequest {
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    var members: [String: JSONValue] {
        get throws { try StrictJSON.object(try #require(body)) }
    }
}

/// Runs what must fail, and gives the fault.
func fault<Value, Fault: Error>(_ body: () async throws(Fault) -> Value) async -> Fault? {
    do {
        _ = try await body()
        Issue.record("nothing was thrown")
        return nil
    } catch {
        return error
    }
}

/// Expects that neither printing nor dumping shows any of these words.
func expectHidden(
    _ value: some Any, _ words: [String], sourceLocation: SourceLocation = #_sourceLocation
) {
    var dumped = ""
    dump(value, to: &dumped)
    let shown = "\(value) \(String(reflecting: value)) \(dumped)"
    for word in words { #expect(!shown.contains(word), sourceLocation: sourceLocation) }
}
