public import Broker
import Foundation
import OTLPTracing
import ServiceContextModule

/// Where the keys for callers' tokens come from.
public enum KeySource: Sendable {
    case fixed(VerificationKeys)
    /// A JWK set at an https address.
    case address(String, any Transport)
}

/// The keys as they are known now. Fetched ones are kept, and fetched again where a token names another, at most
/// once a minute, so that nobody can make the broker hammer the issuer.
actor KnownKeys {
    private let source: KeySource
    private var keys: VerificationKeys?
    /// When keys were last asked for, for whatever reason.
    private var lastFetch: ContinuousClock.Instant?
    /// When they were last asked for because a token named another.
    private var lastSearch: ContinuousClock.Instant?
    private var fetching: Task<Void, Never>?

    private static let searchInterval: Duration = .seconds(60)
    /// Old enough to be fetched again though it serves: the issuer may have withdrawn a key.
    private static let age: Duration = .seconds(600)
    /// Without any keys nobody is served, so trouble at the start is tried again soon.
    private static let retryInterval: Duration = .seconds(2)

    init(_ source: KeySource) {
        self.source = source
        if case .fixed(let keys) = source { self.keys = keys }
    }

    /// The keys; `nil` where none could be fetched yet.
    /// - Parameter sufficient: whether keys do for the token at hand; if not, they are fetched again.
    func keys(where sufficient: @Sendable (VerificationKeys) -> Bool) async -> VerificationKeys? {
        guard case .address(let url, let transport) = source else { return keys }
        if let keys, sufficient(keys) {
            // Nobody waits for this: the issuer may be slow, and the keys at hand do.
            if isDue(lastFetch, Self.age) { fetch(url, transport) }
            return keys
        }
        if keys == nil {
            if isDue(lastFetch, Self.retryInterval) { fetch(url, transport) }
        } else if isDue(lastSearch, Self.searchInterval) {
            lastSearch = .now
            fetch(url, transport)
        }
        await fetching?.value
        return keys
    }

    private func isDue(_ last: ContinuousClock.Instant?, _ interval: Duration) -> Bool {
        last.map { ContinuousClock.now - $0 >= interval } ?? true
    }

    private func fetch(_ url: String, _ transport: any Transport) {
        guard fetching == nil else { return }
        lastFetch = .now
        fetching = Task {
            var request = ProviderRequest(method: .get, url: url, headers: [("Accept", "application/json")])
            // The issuer is the operator's own: what it does for us belongs to the same trace.
            request.headers += ServiceContext.current?.trace?.headers ?? []
            if let response = try? await transport.send(request), response.status == 200,
                let fetched = try? await VerificationKeys(jwks: response.body)
            {
                keys = fetched
            }
            fetching = nil
        }
    }
}
