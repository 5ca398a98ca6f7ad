import Formats
import Foundation
import Transport

@testable import Broker

/// Answers by address, and counts what it was asked.
actor ScriptedServer: ProviderTransport {
    enum Answer: Sendable {
        case body(String)
        case status(Int)
        case failure(TransportError)
    }

    private var answers: [String: Answer] = [:]
    private(set) var requests: [ProviderRequest] = []
    private var isHeld = false
    private var held: [CheckedContinuation<Void, Never>] = []

    var urls: [String] { requests.map(\.url) }

    func answer(_ url: String, _ answer: Answer) { answers[url] = answer }

    /// Nothing is answered until `release`.
    func hold() { isHeld = true }

    func release() {
        isHeld = false
        for continuation in held { continuation.resume() }
        held = []
    }

    func send(_ request: ProviderRequest) async throws(TransportError) -> ProviderResponse {
        requests.append(request)
        if isHeld { await withCheckedContinuation { held.append($0) } }
        switch answers[request.url] {
        case .body(let text): return ProviderResponse(status: 200, body: Array(text.utf8))
        case .status(let status): return ProviderResponse(status: status, body: Array("{}".utf8))
        case .failure(let error): throw error
        case nil: return ProviderResponse(status: 404)
        }
    }
}

/// A clock that stands still until it is set.
///
/// `@unchecked Sendable`: the lock guards the one variable.
final class SetClock: @unchecked Sendable {
    private let lock = NSLock()
    private var moment = TestTime.now
    private var steadyMoment = ContinuousClock.now

    var now: Timestamp { lock.withLock { moment } }
    /// A clock that nobody sets.
    var steadyNow: ContinuousClock.Instant { lock.withLock { steadyMoment } }

    func advance(seconds: Int64) {
        lock.withLock {
            moment = moment.adding(seconds: seconds)
            steadyMoment += .seconds(seconds)
        }
    }

    /// As an operator or a time server may do: no time passes.
    func set(bySeconds seconds: Int64) {
        lock.withLock { moment = moment.adding(seconds: seconds) }
    }
}
