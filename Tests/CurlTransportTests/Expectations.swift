import CurlTransport
import Foundation
import Testing
import Transport

extension CurlTransport {
    /// A transport that may reach the servers of these tests.
    static func forLoopback(
        connectTimeout: Duration = .seconds(60), timeout: Duration = .seconds(60), maxResponseBytes: Int = 1 << 20,
        caFile: String? = nil, maxConcurrent: Int = 64
    ) -> CurlTransport {
        CurlTransport(
            configuration: Configuration(
                connectTimeout: connectTimeout, timeout: timeout, maxResponseBytes: maxResponseBytes,
                allowInsecure: true, allowPrivateAddresses: true, caFile: caFile, maxConcurrent: maxConcurrent))
    }

    func get(_ url: String, headers: [(name: String, value: String)] = []) async throws(TransportError)
        -> TransportResponse
    {
        try await send(TransportRequest(method: .get, url: url, headers: headers))
    }

    /// The result of `send`, as a value.
    func outcome(_ request: TransportRequest) async -> Result<TransportResponse, TransportError> {
        do throws(TransportError) {
            return .success(try await send(request))
        } catch {
            return .failure(error)
        }
    }

    func outcome(_ url: String) async -> Result<TransportResponse, TransportError> {
        await outcome(TransportRequest(method: .get, url: url))
    }
}

extension Result where Success == TransportResponse, Failure == TransportError {
    var error: TransportError? {
        if case .failure(let error) = self { error } else { nil }
    }

    var response: TransportResponse? { try? get() }
}

extension TransportResponse {
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// Expects the body to end within the time: far more than it needs even on a busy machine, far less than the minute
/// that a forgotten limit would take.
func within<Value>(
    _ limit: Duration, location: SourceLocation = #_sourceLocation, _ body: () async throws -> Value
) async rethrows -> Value {
    let clock = ContinuousClock()
    let start = clock.now
    let value = try await body()
    #expect(start.duration(to: clock.now) < limit, sourceLocation: location)
    return value
}

/// Counts what happens on the servers' threads, and lets a test wait for it.
///
/// `@unchecked Sendable`: `lock` guards everything.
final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0
    private var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

    var value: Int { lock.withLock { count } }

    func increment() {
        let ready = lock.withLock {
            count += 1
            let ready = waiters.filter { $0.count <= count }
            waiters.removeAll { $0.count <= count }
            return ready
        }
        for waiter in ready { waiter.continuation.resume() }
    }

    /// Returns once the count is at least `goal`.
    func reaches(_ goal: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = lock.withLock {
                if count < goal { waiters.append((goal, continuation)) }
                return count >= goal
            }
            if isThere { continuation.resume() }
        }
    }
}
