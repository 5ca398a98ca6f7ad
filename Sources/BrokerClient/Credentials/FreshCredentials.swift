public import Formats
public import Secrets

/// The credentials of one grant, kept fresh: gives an access token whenever one is needed, and refreshes before it ends.
///
/// ```swift
/// let credentials = FreshCredentials(kept, of: "google_drive", for: tenant, at: broker) { tokens in
///     try await database.save(tokens)
///     return .kept
/// }
/// let token = try await credentials.accessToken()
/// // … where the source answers 401:
/// let another = try await credentials.accessToken(inPlaceOf: token)
/// ```
///
/// - However many callers ask at once, one refresh is made: a provider that rotates refresh tokens may take the second use
///   of one for theft, and end the grant (RFC 9700 § 4.14). So make one `FreshCredentials` for a grant, and share it.
/// - New tokens are committed before they are used: of a rotated grant that is not kept nothing is left.
/// - A caller that is cancelled stops waiting; the refresh goes on, and its tokens are committed.
/// - Credentials without a refresh token are given as they are until their source refuses them.
/// - Once the grant is at its end, it stays so: have the person connect again, and make new `FreshCredentials`.
public final class FreshCredentials<CommitFailure: Error>: Sendable {
    /// The reason why there is no access token.
    public typealias Fault = FreshCredentialsFault<CommitFailure>

    /// Asks for new tokens by a refresh token.
    public typealias Refresh = @Sendable (RefreshToken) async throws(BrokerError) -> GrantedTokens

    /// Keeps tokens, durably, in place of those of before.
    public typealias Commit = @Sendable (GrantedTokens) async throws(CommitFailure) -> Commitment

    /// Asked after an error that may pass: waits, and tells whether to try again.
    ///
    /// - attempt: the one that failed, from 1.
    public typealias TryAgain = @Sendable (_ error: BrokerError, _ attempt: Int) async -> Bool

    private let state: Locked<FreshCredentialsState<CommitFailure>>
    private let refresh: Refresh
    private let commit: Commit
    private let tryAgain: TryAgain
    private let now: @Sendable () -> Timestamp

    /// Credentials that are refreshed at a broker.
    ///
    /// - Parameters:
    ///   - tokens: as they were kept.
    ///   - parameters: those with which the connection was started.
    ///   - tryAgain: by default nobody does: the callers decide.
    ///   - commit: called with each refresh's tokens, never twice at a time. After a failure it is called again with the
    ///     same tokens when somebody asks next.
    public convenience init(
        _ tokens: GrantedTokens, of sourceType: String, parameters: [String: String] = [:], for tenant: TenantID,
        at broker: BrokerClient, tryAgain: @escaping TryAgain = { _, _ in false }, commit: @escaping Commit
    ) {
        self.init(
            tokens,
            refresh: { token throws(BrokerError) in
                try await broker.refresh(token, of: sourceType, parameters: parameters, for: tenant).tokens
            }, tryAgain: tryAgain, now: broker.now, commit: commit)
    }

    /// Credentials that are refreshed in a way of the caller's own.
    public init(
        _ tokens: GrantedTokens, refresh: @escaping Refresh, tryAgain: @escaping TryAgain = { _, _ in false },
        now: @escaping @Sendable () -> Timestamp = { .current }, commit: @escaping Commit
    ) {
        state = Locked(FreshCredentialsState(tokens))
        self.refresh = refresh
        self.commit = commit
        self.tryAgain = tryAgain
        self.now = now
    }

    /// An access token that ends later than in a minute, or whose end nobody knows; without refresh token, the one that
    /// there is.
    public func accessToken() async throws(Fault) -> AccessToken { try await answer(to: nil) }

    /// An access token in place of one that its source refused, though it should have been good: one is refreshed, unless
    /// that has happened since. A token that was new and is refused too means that the grant is at its end.
    public func accessToken(inPlaceOf refused: AccessToken) async throws(Fault) -> AccessToken {
        try await answer(to: refused)
    }

    /// The callers that wait for the refresh that runs. For tests.
    var waiterCount: Int { state.withLock { $0.waiterCount } }

    /// A refresh, or the commit of one, is under way. For tests.
    var isRefreshing: Bool { state.withLock { $0.isRefreshing } }

    private func answer(to refused: AccessToken?) async throws(Fault) -> AccessToken {
        let number = state.withLock { $0.nextNumber() }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: FreshCredentialsState<CommitFailure>.Waiter) in
                let step = state.withLock { state in
                    // A cancellation from here on finds the waiter.
                    Task.isCancelled
                        ? .answer(.failure(.cancelled))
                        : state.step(to: refused, at: now(), waiter: (number, continuation))
                }
                switch step {
                case .answer(let result): continuation.resume(returning: result)
                case .wait(begins: true): begin()
                case .wait(begins: false): break
                }
            }
        } onCancel: {
            state.withLock { $0.leave(number) }?.resume(returning: .failure(.cancelled))
        }
        return try result.get()
    }

    /// A task of its own: no caller's cancellation ends a refresh, whose tokens would be lost.
    private func begin() {
        Task {
            let result = await renewed()
            let (waiters, answer) = state.withLock { $0.finish(result, at: now()) }
            for waiter in waiters { waiter.resume(returning: answer) }
        }
    }

    private func renewed() async -> Result<GrantedTokens, Fault> {
        do throws(Fault) {
            let new = try await refreshed()
            state.withLock { $0.uncommitted = new }
            switch try await committed(new) {
            case .kept: return .success(new)
            case .superseded: return .failure(.superseded)
            }
        } catch {
            return .failure(error)
        }
    }

    private func refreshed() async throws(Fault) -> GrantedTokens {
        let (uncommitted, token) = state.withLock { ($0.uncommitted, $0.tokens.refreshToken) }
        if let uncommitted { return uncommitted }
        guard let token else { throw .reauthorizationRequired }
        var attempt = 1
        while true {
            do {
                var new = try await refresh(token)
                // RFC 6749 § 6: the old one stays where no new one comes.
                if new.refreshToken == nil { new.refreshToken = token }
                return new
            } catch .reauthorizationRequired {
                throw .reauthorizationRequired
            } catch {
                guard error.isTemporary, await tryAgain(error, attempt), state.withLock({ $0.isAwaited }) else {
                    throw .broker(error)
                }
                attempt += 1
            }
        }
    }

    private func committed(_ new: GrantedTokens) async throws(Fault) -> Commitment {
        do { return try await commit(new) } catch { throw .notCommitted(error) }
    }
}

extension FreshCredentials: Redacted {}

/// The outcome of keeping new tokens.
public enum Commitment: Sendable, Hashable {
    case kept
    /// Others have taken the place of the old tokens meanwhile, since the person connected again: the new ones of the
    /// old grant are of no use.
    case superseded
}

/// A reason why `FreshCredentials` has no access token.
public enum FreshCredentialsFault<CommitFailure: Error>: Error, Sendable {
    /// The grant is at its end: have the person connect again.
    case reauthorizationRequired
    /// `Commitment.superseded`: use the credentials that took the place.
    case superseded
    /// The broker gave no new tokens, and was not to be asked again.
    case broker(BrokerError)
    /// The new tokens could not be kept, and are not used before they are.
    case notCommitted(CommitFailure)
    /// The caller's task was cancelled.
    case cancelled
}
