import Catalog
import Secrets

/// The refreshes that run, and for 30 s the answers of those that succeeded, by caller and request.
///
/// A kept answer opens only with the refresh token that was sent, which the caller brings again: a reader of the memory
/// finds no token in it.
actor RefreshCoalescer {
    /// A grant of one tenant at one client, with the request's parameters and scopes: no other call gets its answer.
    struct Identity: Hashable {
        let tenant: TenantID
        let sourceType: SourceType.ID
        /// The refresh token that is sent.
        let token: Digest
        private let digest: Digest

        init(
            tenant: TenantID, sourceType: SourceType.ID, client: String, parameters: [String: String],
            scopes: [String]?, token: RefreshToken
        ) {
            self.tenant = tenant
            self.sourceType = sourceType
            self.token = token.digest
            let parts =
                [tenant.description, sourceType.description, client, String(parameters.count)]
                + parameters.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
                + (scopes.map { ["scopes"] + $0.sorted() } ?? [])
            // Each part as its digest: no two lists of parts read the same.
            digest = Digest(of: parts.flatMap { Digest(of: $0).bytes } + self.token.bytes)
        }

        static func == (left: Identity, right: Identity) -> Bool { left.digest == right.digest }
        func hash(into hasher: inout Hasher) { hasher.combine(digest) }

        /// The associated data that a kept answer is sealed with.
        var context: [UInt8] { digest.bytes }
    }

    /// A provider's answer, as the JSON for the caller.
    struct Answer: Sendable {
        let json: SecretBytes
        /// The digests of its access token and refresh token: a revocation of either discards it.
        let tokens: [Digest]
    }

    private struct Kept {
        let answer: Sealed<Answer>
        /// The answer's tokens, and the one that was sent.
        let tokens: [Digest]
        let until: ContinuousClock.Instant
    }

    /// The time for which a lost answer can be asked for again.
    static let retention = Duration.seconds(30)
    /// The most answers to keep; beyond it the oldest go.
    private static let capacity = 10_000

    private let now: @Sendable () -> ContinuousClock.Instant
    private let key = KeyRing.ephemeral()
    private var calls = Flights<Identity, SecretBytes, RefreshError>()
    private var kept: [Identity: Kept] = [:]
    private var byToken: [Digest: Set<Identity>] = [:]
    private var order: [(identity: Identity, until: ContinuousClock.Instant)] = []

    /// - Parameter now: a monotonic clock.
    init(now: @escaping @Sendable () -> ContinuousClock.Instant) {
        self.now = now
    }

    /// The answer for `identity`: a kept one, the running call's, or `refresh`'s.
    ///
    /// The call goes on where its caller gives up: the provider may have rotated the token already.
    func run(
        _ identity: Identity, token: RefreshToken,
        refresh: @escaping @Sendable () async throws(RefreshError) -> Answer
    ) async throws(RefreshError) -> SecretBytes {
        forgetExpired()
        if let kept = kept[identity],
            let json = try? key.open(
                kept.answer, as: Self.label, context: identity.context, under: Self.secret(token))
        {
            return json
        }
        let call = calls[identity] ?? start(identity, token: token, refresh: refresh)
        return try await call.value.get()
    }

    private func start(
        _ identity: Identity, token: RefreshToken,
        refresh: @escaping @Sendable () async throws(RefreshError) -> Answer
    ) -> Flights<Identity, SecretBytes, RefreshError>.Call {
        calls.begin(identity) { number in
            Task { () async -> Result<SecretBytes, RefreshError> in
                do throws(RefreshError) {
                    let answer = try await refresh()
                    finish(identity, call: number, answer: answer, token: token)
                    return .success(answer.json)
                } catch {
                    finish(identity, call: number, answer: nil, token: token)
                    return .failure(error)
                }
            }
        }
    }

    private func finish(_ identity: Identity, call: Int, answer: Answer?, token: RefreshToken) {
        // A revocation may have parted the call from those who come later.
        guard calls.end(identity, number: call), let answer else { return }
        let until = now() + Self.retention
        let sealed = key.seal(
            answer.json, as: Self.label, context: identity.context, under: Self.secret(token), for: Answer.self)
        let tokens = answer.tokens + [identity.token]
        kept[identity] = Kept(answer: sealed, tokens: tokens, until: until)
        for token in tokens { byToken[token, default: []].insert(identity) }
        order.append((identity, until))
    }

    private static let label = Label("refresh-answer")

    private static func secret(_ token: RefreshToken) -> SecretBytes {
        token.expose { SecretBytes(Array($0.utf8)) }
    }

    // MARK: forgetting

    /// Forgets the answers for the grant of a token that was revoked. The results of its running calls go to those who
    /// wait already, and to nobody else.
    func forget(_ token: Digest) {
        var found: Set = [token]
        var unfollowed = [token]
        // The answer to an earlier refresh of the same grant has the token that was sent next.
        while let next = unfollowed.popLast() {
            for identity in byToken[next] ?? [] {
                for other in forget(identity) where found.insert(other).inserted { unfollowed.append(other) }
            }
        }
        calls.part { found.contains($0.token) }
    }

    /// Forgets the answers for everything that an operator revokes.
    func forget(_ selection: Selection) {
        // A flow's own tokens were never here: nobody has redeemed them.
        guard selection.flow == nil else { return }
        let isSelected = { (identity: Identity) in
            (selection.tenant == nil || selection.tenant == identity.tenant)
                && (selection.sourceType == nil || selection.sourceType == identity.sourceType)
        }
        for identity in kept.keys.filter(isSelected) { forget(identity) }
        calls.part(where: isSelected)
    }

    @discardableResult
    private func forget(_ identity: Identity) -> [Digest] {
        guard let answer = kept.removeValue(forKey: identity) else { return [] }
        for token in answer.tokens {
            byToken[token]?.remove(identity)
            if byToken[token]?.isEmpty == true { byToken[token] = nil }
        }
        return answer.tokens
    }

    private func forgetExpired() {
        let now = now()
        let expired = order.prefix { $0.until <= now }.count
        let count = max(expired, order.count - Self.capacity)
        guard count > 0 else { return }
        // What was forgotten and answered anew since stays.
        for (identity, until) in order.prefix(count) where kept[identity]?.until == until { forget(identity) }
        order.removeFirst(count)
    }
}
