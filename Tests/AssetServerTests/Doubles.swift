import Formats
import Foundation
import Logging
import OTLPTracing
import Transport

/// Plays the broker: answers as a test says, and keeps what it is asked.
final class ScriptedBroker: HTTPTransport, @unchecked Sendable {
    // `@unchecked`: `kept` is guarded by `lock`.
    private let lock = NSLock()
    private var kept: [TransportRequest] = []
    private let answer: @Sendable (TransportRequest) async throws(TransportError) -> TransportResponse

    init(_ answer: @escaping @Sendable (TransportRequest) async throws(TransportError) -> TransportResponse) {
        self.answer = answer
    }

    convenience init(status: Int, _ body: String) {
        self.init { _ in TransportResponse(status: status, body: Array(body.utf8)) }
    }

    /// One that redeems and refreshes for a source type, and lists a few.
    convenience init(grants sourceType: String = "drive", refreshToken: String? = "refresh-1") {
        self.init { request in
            if request.url.hasSuffix("assets:sourceTypes") {
                return TransportResponse(status: 200, body: Array(Self.list.utf8))
            }
            let refresh = refreshToken.map { "\"\($0)\"" } ?? "null"
            let body =
                #"{"accessToken":"access-1","refreshToken":\#(refresh),"tokenType":"Bearer","expiresAt":null,"scope":null,"#
                + #""sourceType":"\#(sourceType)","idToken":null,"extras":{},"warnings":[]}"#
            return TransportResponse(status: 200, body: Array(body.utf8))
        }
    }

    var requests: [TransportRequest] { lock.withLock { kept } }

    /// The redemptions among them.
    var redemptions: [TransportRequest] { requests.filter { $0.url.hasSuffix("assets:oauthCredentials") } }

    func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
        lock.withLock { kept.append(request) }
        return try await answer(request)
    }

    private static let list = """
        {"items": [
         {"type": "drive", "displayName": "The broker's drive", "category": "files", "supportsOAuth": true,
          "configured": true, "oauth": {"scopes": ["read"], "parameters": []}},
         {"type": "site", "displayName": "Site", "category": "web", "supportsOAuth": false, "configured": true,
          "oauth": null},
         {"type": "wiki", "displayName": "Wiki", "category": "wiki", "supportsOAuth": true, "configured": true,
          "oauth": {"scopes": [], "parameters": []}}], "totalCount": 3}
        """
}

/// A clock that stands until a test moves it.
final class TestClock: @unchecked Sendable {
    // `@unchecked`: `time` is guarded by `lock`.
    private let lock = NSLock()
    private var time = Timestamp(milliseconds: 1_790_000_000_000)

    var now: Timestamp { lock.withLock { time } }

    func advance(seconds: Int64) { lock.withLock { time = time.adding(seconds: seconds) } }
}

/// Keeps what the ingestion is told.
final class SignalsKept: @unchecked Sendable {
    // `@unchecked`: the variables are guarded by `lock`.
    private let lock = NSLock()
    private var wakes = 0
    private var cancels: [String] = []

    var wakeCount: Int { lock.withLock { wakes } }
    var cancelled: [String] { lock.withLock { cancels } }

    func wake() { lock.withLock { wakes += 1 } }
    func cancel(_ operation: String) { lock.withLock { cancels.append(operation) } }
}

/// Keeps what is logged.
final class LogLinesKept: @unchecked Sendable {
    // `@unchecked`: `kept` is guarded by `lock`.
    private let lock = NSLock()
    private var kept: [String] = []

    var all: String { lock.withLock { kept.joined(separator: "\n") } }

    func handler() -> some LogHandler { Handler(lines: self) }

    fileprivate func keep(_ line: String) { lock.withLock { kept.append(line) } }

    private struct Handler: LogHandler {
        let lines: LogLinesKept
        var logLevel: Logger.Level = .trace
        var metadata: Logger.Metadata = [:]

        init(lines: LogLinesKept) { self.lines = lines }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.keep("\(event.level) \(event.message) \(event.metadata ?? [:])")
        }
    }
}

/// Keeps the spans that ended.
final class SpansKept: @unchecked Sendable {
    // `@unchecked`: `kept` is guarded by `lock`.
    private let lock = NSLock()
    private var kept: [FinishedSpan] = []

    var all: [FinishedSpan] { lock.withLock { kept } }

    var tracer: OTLPTracer { OTLPTracer { span in self.lock.withLock { self.kept.append(span) } } }
}
