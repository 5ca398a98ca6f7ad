import Broker
import Formats
import Foundation
import Logging
import Transport

/// Plays the provider: answers token requests as a test says, and keeps them.
final class ScriptedProvider: ProviderTransport, @unchecked Sendable {
    // `@unchecked`: `kept` is guarded by `lock`.
    private let lock = NSLock()
    private var kept: [ProviderRequest] = []
    private let answer: @Sendable (ProviderRequest) async throws(TransportError) -> ProviderResponse

    init(
        _ answer: @escaping @Sendable (ProviderRequest) async throws(TransportError) -> ProviderResponse = { _ in
            ProviderResponse(
                status: 200,
                body: Array(#"{"access_token":"t0ken","refresh_token":"r3fresh","expires_in":3600}"#.utf8))
        }
    ) {
        self.answer = answer
    }

    convenience init(status: Int, _ body: String) {
        self.init { _ in ProviderResponse(status: status, body: Array(body.utf8)) }
    }

    var requests: [ProviderRequest] { lock.withLock { kept } }

    func send(_ request: ProviderRequest) async throws(TransportError) -> ProviderResponse {
        lock.withLock { kept.append(request) }
        return try await answer(request)
    }
}

/// A clock that stands until a test moves it.
final class TestClock: @unchecked Sendable {
    // `@unchecked`: `time` is guarded by `lock`.
    private let lock = NSLock()
    private var time = Timestamp(milliseconds: 1_790_000_000_000)

    var now: Timestamp { lock.withLock { time } }

    func advance(seconds: Int64) { lock.withLock { time = time.adding(seconds: seconds) } }
}

/// Keeps what is told beside answers.
final class IncidentsKept: @unchecked Sendable {
    // `@unchecked`: `kept` is guarded by `lock`.
    private let lock = NSLock()
    private var kept: [Incident] = []

    var all: [Incident] { lock.withLock { kept } }

    @Sendable func keep(_ incident: Incident) { lock.withLock { kept.append(incident) } }
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
