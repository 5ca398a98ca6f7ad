import Broker
import Formats
import Foundation
import OTLPTracing
import ServiceContextModule
public import Transport

/// Where the keys for callers' tokens come from.
public enum KeySource: Sendable {
    case fixed(VerificationKeys)
    /// A JWK set at an https address.
    case address(String, any HTTPTransport)
}

/// The keys as they are believed now. However many callers wait, one request is under way.
///
/// `@unchecked Sendable`: all that changes is guarded by `lock`.
final class KnownKeys: @unchecked Sendable {
    /// Keys, and which set of them in the order of their coming: what was verified under another is verified again.
    struct Generation: Sendable {
        let keys: VerificationKeys
        let number: Int
    }

    private let source: KeySource
    private let now: @Sendable () -> ContinuousClock.Instant
    private let lock = NSLock()
    private var age = KeySetAge()
    private var current: Generation?
    /// As it came. The same again is the same generation.
    private var answer: [UInt8] = []
    private var asking: Task<Void, Never>?
    private var failure: Reason?

    /// - Parameter now: a clock that nobody can set: one set back would prolong what was withdrawn.
    init(_ source: KeySource, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        self.source = source
        self.now = now
        if case .fixed(let keys) = source { current = Generation(keys: keys, number: 0) }
    }

    /// The keys; `nil` where none are to be believed.
    /// - Parameter sufficient: whether keys do for the token at hand; if not, the issuer may have new ones.
    func believed(where sufficient: (VerificationKeys) -> Bool = { _ in true }) async -> Generation? {
        guard case .address(let url, let transport) = source else { return current }
        // Together, so that of many who find the keys wanting none asks again what another was answered just now.
        let (step, generation, attempt) = lock.withLock {
            let step = age.step(at: now(), sufficient: current.map { sufficient($0.keys) } ?? false)
            return (step, current, step.asks ? ask(url, transport) : nil)
        }
        switch step {
        case .use, .useAndAsk: return generation
        case .refuse: return nil
        case .ask:
            await attempt?.value
            return lock.withLock { age.isBelieved(at: now()) ? current : nil }
        }
    }

    /// The reason why the last attempt brought no keys.
    var lastFailure: Reason? { lock.withLock { failure } }

    /// The one attempt that is under way; `lock` is held. It belongs to nobody who waits for it.
    private func ask(_ url: String, _ transport: any HTTPTransport) -> Task<Void, Never> {
        if let asking { return asking }
        let askedAt = now()
        let task = Task {
            settle(await Self.answer(from: url, transport), askedAt: askedAt)
        }
        asking = task
        return task
    }

    private static func answer(from url: String, _ transport: any HTTPTransport) async -> Answer {
        var request = TransportRequest(method: .get, url: url, headers: [("Accept", "application/json")])
        // The issuer is the operator's own: what it does for us belongs to the same trace.
        request.headers += ServiceContext.current?.trace?.headers ?? []
        do {
            let response = try await transport.send(request)
            return response.status == 200 ? .keySet(response.body) : .failure("the issuer answered \(response.status)")
        } catch {
            return .failure(error.reason)
        }
    }

    private enum Answer {
        case keySet([UInt8])
        case failure(Reason)
    }

    /// A broken answer is none: it withdraws nothing, and is asked for again soon.
    private func settle(_ answered: Answer, askedAt: ContinuousClock.Instant) {
        let body: [UInt8]? = if case .keySet(let body) = answered { body } else { nil }
        let isKnown = lock.withLock { current != nil && body == answer }
        let keys = isKnown ? nil : body.flatMap { VerificationKeys(answer: $0) }
        lock.withLock {
            if let body, let keys {
                current = Generation(keys: keys, number: (current?.number ?? 0) + 1)
                answer = body
            }
            if isKnown || keys != nil { age.answered(askedAt: askedAt) } else { age.failed(at: now()) }
            switch answered {
            case .failure(let reason): failure = reason
            case .keySet: failure = isKnown || keys != nil ? nil : "the issuer's answer is no key set (RFC 7517)"
            }
            asking = nil
        }
    }
}
