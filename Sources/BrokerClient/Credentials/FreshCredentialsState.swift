import Formats
import Secrets

/// Decides what a caller of `FreshCredentials` gets, and who waits. Pure; guarded by its owner's lock.
struct FreshCredentialsState<CommitFailure: Error>: Sendable {
    typealias Answer = Result<AccessToken, FreshCredentialsFault<CommitFailure>>
    typealias Waiter = CheckedContinuation<Answer, Never>

    enum Step {
        case answer(Answer)
        /// - begins: the caller has to start the refresh that it waits for.
        case wait(begins: Bool)
    }

    private(set) var tokens: GrantedTokens
    /// A refresh's, until they are committed.
    var uncommitted: GrantedTokens?
    /// The grant is at its end, or its place taken.
    private var ending: FreshCredentialsFault<CommitFailure>?
    private(set) var isRefreshing = false
    /// The refresh that runs was begun for a refused token.
    private var answersRefusal = false
    /// The last refresh that was begun for a refused token.
    private var replacedRefusedAt: Timestamp?
    private var waiters: [Int: Waiter] = [:]
    private var lastNumber = 0

    init(_ tokens: GrantedTokens) {
        self.tokens = tokens
    }

    /// Somebody waits for the refresh that runs.
    var isAwaited: Bool { !waiters.isEmpty }

    var waiterCount: Int { waiters.count }

    mutating func nextNumber() -> Int {
        lastNumber += 1
        return lastNumber
    }

    /// - Parameter waiter: kept where the answer is to wait.
    mutating func step(to refused: AccessToken?, at now: Timestamp, waiter: (number: Int, Waiter)) -> Step {
        if let ending { return .answer(.failure(ending)) }
        if !isRefreshing {
            if let answer = answer(to: refused, at: now) { return .answer(answer) }
        }
        waiters[waiter.number] = waiter.1
        defer { isRefreshing = true }
        return .wait(begins: !isRefreshing)
    }

    /// `nil`: only a refresh, or the commit of the last one, brings it.
    private mutating func answer(to refused: AccessToken?, at now: Timestamp) -> Answer? {
        if uncommitted != nil { return nil }
        guard let refused, refused.matches(tokens.accessToken) else {
            let serves = tokens.refreshToken == nil || tokens.isFresh(at: now)
            return serves ? .success(tokens.accessToken) : nil
        }
        guard tokens.refreshToken != nil, !isNew(at: now) else {
            ending = .reauthorizationRequired
            return .failure(.reauthorizationRequired)
        }
        answersRefusal = true
        return nil
    }

    /// The access token came for a refused one just now: another refresh would bring no better one.
    private func isNew(at now: Timestamp) -> Bool {
        guard let at = replacedRefusedAt else { return false }
        return at <= now && now < at.adding(seconds: GrantedTokens.margin)
    }

    /// Gives the continuation of a caller that waits no more.
    mutating func leave(_ number: Int) -> Waiter? { waiters.removeValue(forKey: number) }

    /// Takes over what a refresh came to. Gives those who wait, and their answer.
    mutating func finish(
        _ result: Result<GrantedTokens, FreshCredentialsFault<CommitFailure>>, at now: Timestamp
    ) -> ([Waiter], Answer) {
        defer {
            isRefreshing = false
            answersRefusal = false
            waiters = [:]
        }
        switch result {
        case .success(let new):
            tokens = new
            uncommitted = nil
            replacedRefusedAt = answersRefusal ? now : nil
        case .failure(.reauthorizationRequired): ending = .reauthorizationRequired
        case .failure(.superseded): ending = .superseded
        case .failure(.broker), .failure(.notCommitted), .failure(.cancelled): break
        }
        return (Array(waiters.values), result.map(\.accessToken))
    }
}
