public import Broker
import Foundation

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
    private var lastAttempt: ContinuousClock.Instant?
    private var fetching: Task<VerificationKeys?, Never>?

    private static let interval: Duration = .seconds(60)
    /// Old enough to be fetched again even where it still serves: an issuer may have withdrawn a key.
    private static let age: Duration = .seconds(600)

    init(_ source: KeySource) {
        self.source = source
        if case .fixed(let keys) = source { self.keys = keys }
    }

    /// The keys; `nil` where none could be fetched yet.
    /// - Parameter sufficient: whether keys do for the token at hand; if not, they are fetched again.
    func keys(where sufficient: @Sendable (VerificationKeys) -> Bool) async -> VerificationKeys? {
        guard case .address(let url, let transport) = source else { return keys }
        let now = ContinuousClock.now
        let sinceAttempt = lastAttempt.map { now - $0 }
        if let keys, sufficient(keys), sinceAttempt ?? .zero < Self.age { return keys }
        if let fetching { return await fetching.value ?? keys }
        // Without any keys nobody is served, so trouble at the start is tried again sooner.
        if let sinceAttempt, sinceAttempt < (keys == nil ? .seconds(2) : Self.interval) { return keys }
        lastAttempt = now
        let task = Task { await Self.fetch(url, transport) }
        fetching = task
        let fetched = await task.value
        fetching = nil
        if let fetched { keys = fetched }
        return keys
    }

    private static func fetch(_ url: String, _ transport: any Transport) async -> VerificationKeys? {
        let request = ProviderRequest(method: .get, url: url, headers: [("Accept", "application/json")])
        guard let response = try? await transport.send(request), response.status == 200 else { return nil }
        return try? await VerificationKeys(jwks: response.body)
    }
}
