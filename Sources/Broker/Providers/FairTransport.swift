public import Formats
import Secrets
public import Transport

/// Sends requests when it is their turn: a tenant or host that hangs does not take the places of the others, and a
/// callback's exchange does not wait behind calls that can be made again.
///
/// A request's deadline begins with its turn. Where there is room, a request costs no more than a lock.
public final class FairTransport: ProviderTransport {
    private struct Waiter: Sendable {
        let place: Turns.Place
        let continuation: CheckedContinuation<TransportError?, Never>
        var timeout: Task<Void, Never>?
    }

    private struct State: Sendable {
        var turns: Turns
        var waiters: [Int: Waiter] = [:]
        var lastID = 0
        var refused = 0
    }

    private let transport: any ProviderTransport
    private let shares: ProviderShares
    private let sleep: @Sendable (_ until: ContinuousClock.Instant) async throws -> Void
    private let state: Locked<State>

    /// - Parameters:
    ///   - transport: must take `shares.inAll` requests at once.
    ///   - sleep: returns at a moment, or throws where it is cancelled; for tests.
    public init(
        _ transport: any ProviderTransport, shares: ProviderShares = ProviderShares(),
        sleep: @escaping @Sendable (_ until: ContinuousClock.Instant) async throws -> Void = {
            try await Task.sleep(until: $0, clock: .continuous)
        }
    ) {
        self.transport = transport
        self.shares = shares
        self.sleep = sleep
        state = Locked(State(turns: Turns(shares)))
    }

    /// Waits for the request's turn, and sends it. Throws `rateLimited` for a `call` that waited until its end or found
    /// no place to wait, `cancelled` where its task was cancelled while it waited, and what the transport throws.
    public func send(_ request: ProviderRequest) async throws(TransportError) -> ProviderResponse {
        let place = Turns.Place(request.cause, host: Self.host(of: request.url))
        if !state.withLock({ $0.turns.start(place) }), let refusal = await turn(place, request.cause) { throw refusal }
        defer { end(place) }
        return try await transport.send(request)
    }

    /// The number of requests that wait for their turn.
    public var waitingCount: Int { state.withLock { $0.turns.waitingCount } }

    /// The number of requests refused so far, since they had waited until their end or too many of their tenant's
    /// waited.
    public var refusedCount: Int { state.withLock { $0.refused } }

    /// True if as many requests of flows wait, of all tenants, as one tenant's may.
    public var isBusy: Bool { state.withLock { $0.turns.waitingOfFlows >= shares.waitingOfFlows } }

    /// Tells whether as many requests of this tenant's flows wait as may.
    public func isBusy(for tenant: TenantID) -> Bool {
        state.withLock { $0.turns.waitingOfFlows(of: tenant) >= shares.waitingOfFlows }
    }

    // MARK: waiting

    /// Waits. Gives `nil` once it is the request's turn, else the reason why it never will be.
    private func turn(_ place: Turns.Place, _ cause: Cause) async -> TransportError? {
        let id = state.withLock {
            $0.lastID += 1
            return $0.lastID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { wait(id, at: place, for: cause, resuming: $0) }
        } onCancel: {
            withdraw(id, .cancelled)
        }
    }

    private func wait(
        _ id: Int, at place: Turns.Place, for cause: Cause,
        resuming continuation: CheckedContinuation<TransportError?, Never>
    ) {
        enum Arrival { case starts, waits, isRefused }
        let arrival = state.withLock { state -> Arrival in
            // There may be room since it was looked for.
            if state.turns.start(place) { return .starts }
            guard state.turns.wait(id, place) else {
                state.refused += 1
                return .isRefused
            }
            state.waiters[id] = Waiter(place: place, continuation: continuation)
            return .waits
        }
        switch arrival {
        case .starts: return continuation.resume(returning: nil)
        case .isRefused: return continuation.resume(returning: .rateLimited)
        case .waits: break
        }
        if case .call(_, let until, _) = cause { limitWait(of: id, until: until) }
        // A cancellation that came before it waited found nobody.
        if Task.isCancelled { withdraw(id, .cancelled) }
    }

    private func limitWait(of id: Int, until: ContinuousClock.Instant) {
        let timeout = Task { [sleep] in
            do { try await sleep(until) } catch { return }
            withdraw(id, .rateLimited)
        }
        let isOver = state.withLock {
            $0.waiters[id]?.timeout = timeout
            return $0.waiters[id] == nil
        }
        if isOver { timeout.cancel() }
    }

    private func withdraw(_ id: Int, _ why: TransportError) {
        let waiter = state.withLock { state -> Waiter? in
            guard let waiter = state.waiters.removeValue(forKey: id), state.turns.withdraw(id, waiter.place) else {
                return nil
            }
            if why == .rateLimited { state.refused += 1 }
            return waiter
        }
        waiter?.timeout?.cancel()
        waiter?.continuation.resume(returning: why)
    }

    private func end(_ place: Turns.Place) {
        let next = state.withLock { state in
            state.turns.end(place).compactMap { state.waiters.removeValue(forKey: $0) }
        }
        for waiter in next {
            waiter.timeout?.cancel()
            waiter.continuation.resume(returning: nil)
        }
    }

    /// Host and port as one name, in lower case and without the usual port: two spellings must not have two shares.
    static func host(of url: String) -> String {
        let bytes = Array(url.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[colon...].starts(with: "://".utf8) else {
            return ""
        }
        let isSecure = bytes[..<colon].count == 5
        let rest = bytes[(colon + 3)...]
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
        var host = rest[..<(end ?? rest.endIndex)].map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        let usual = Array((isSecure ? ":443" : ":80").utf8)
        if host.suffix(usual.count) == usual[...] { host.removeLast(usual.count) }
        return String(decoding: host, as: UTF8.self)
    }
}
