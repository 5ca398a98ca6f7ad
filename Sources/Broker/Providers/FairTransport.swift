import Foundation
public import Transport

/// Sends requests when it is their turn: no tenant and no host that hangs takes the places of the others, and a
/// callback's exchange does not wait behind what can be asked again.
///
/// A request's deadline begins with its turn. Where there is room a request costs a lock and no more.
///
/// `@unchecked Sendable`: `lock` guards the variables; the rest never changes.
public final class FairTransport: ProviderTransport, @unchecked Sendable {
    private struct Waiter {
        let place: Turns.Place
        let continuation: CheckedContinuation<TransportError?, Never>
        var patience: Task<Void, Never>?
    }

    private let transport: any ProviderTransport
    private let shares: ProviderShares
    private let sleep: @Sendable (_ until: ContinuousClock.Instant) async throws -> Void
    private let lock = NSLock()
    private var turns: Turns
    private var waiters: [Int: Waiter] = [:]
    private var lastID = 0
    private var refused = 0

    /// - Parameters:
    ///   - transport: must take `shares.inAll` requests at once.
    ///   - sleep: ends at a moment, or throws where it is cancelled.
    public init(
        _ transport: any ProviderTransport, shares: ProviderShares = ProviderShares(),
        sleep: @escaping @Sendable (_ until: ContinuousClock.Instant) async throws -> Void = {
            try await Task.sleep(until: $0, clock: .continuous)
        }
    ) {
        self.transport = transport
        self.shares = shares
        self.sleep = sleep
        turns = Turns(shares)
    }

    public func send(_ request: ProviderRequest) async throws(TransportError) -> ProviderResponse {
        let place = Turns.Place(request.cause, host: Self.host(of: request.url))
        if !lock.withLock({ turns.start(place) }), let refusal = await turn(place, request.cause) { throw refusal }
        defer { end(place) }
        return try await transport.send(request)
    }

    /// The number of requests that wait for their turn.
    public var waitingCount: Int { lock.withLock { turns.waitingCount } }

    /// The number refused since they had waited long enough, or too many of their tenant's waited.
    public var refusedCount: Int { lock.withLock { refused } }

    public var isBusy: Bool { lock.withLock { turns.waitingOfFlows >= shares.waitingOfFlows } }

    public func isBusy(for tenant: TenantID) -> Bool {
        lock.withLock { turns.waitingOfFlows(of: tenant) >= shares.waitingOfFlows }
    }

    // MARK: waiting

    /// `nil` once it is the request's turn, else why it never will be.
    private func turn(_ place: Turns.Place, _ cause: Cause) async -> TransportError? {
        let id = lock.withLock {
            lastID += 1
            return lastID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { wait(id, place, cause, $0) }
        } onCancel: {
            withdraw(id, .cancelled)
        }
    }

    private func wait(
        _ id: Int, _ place: Turns.Place, _ cause: Cause, _ continuation: CheckedContinuation<TransportError?, Never>
    ) {
        enum Arrival { case starts, waits, isRefused }
        let arrival = lock.withLock { () -> Arrival in
            // There may be room since it was looked for.
            if turns.start(place) { return .starts }
            guard turns.wait(id, place) else {
                refused += 1
                return .isRefused
            }
            waiters[id] = Waiter(place: place, continuation: continuation)
            return .waits
        }
        switch arrival {
        case .starts: return continuation.resume(returning: nil)
        case .isRefused: return continuation.resume(returning: .rateLimited)
        case .waits: break
        }
        if case .call(_, let until) = cause { limitPatience(of: id, until) }
        // A cancellation that came before it waited found nobody.
        if Task.isCancelled { withdraw(id, .cancelled) }
    }

    private func limitPatience(of id: Int, _ until: ContinuousClock.Instant) {
        let patience = Task { [sleep] in
            do { try await sleep(until) } catch { return }
            withdraw(id, .rateLimited)
        }
        let isOver = lock.withLock {
            waiters[id]?.patience = patience
            return waiters[id] == nil
        }
        if isOver { patience.cancel() }
    }

    private func withdraw(_ id: Int, _ why: TransportError) {
        let waiter = lock.withLock { () -> Waiter? in
            guard let waiter = waiters.removeValue(forKey: id), turns.withdraw(id, waiter.place) else { return nil }
            if why == .rateLimited { refused += 1 }
            return waiter
        }
        waiter?.patience?.cancel()
        waiter?.continuation.resume(returning: why)
    }

    private func end(_ place: Turns.Place) {
        let next = lock.withLock { turns.end(place).compactMap { waiters.removeValue(forKey: $0) } }
        for waiter in next {
            waiter.patience?.cancel()
            waiter.continuation.resume(returning: nil)
        }
    }

    /// Host and port as one name, letter case and the usual port aside: two spellings must not be two shares.
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
