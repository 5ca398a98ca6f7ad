import Secrets

/// The refreshes that run, and for 30 s those that succeeded, by who asked for what.
actor Refreshes {
    /// One grant of one tenant at one client: nobody else gets its answer.
    struct Identity: Hashable {
        let digest: Digest

        init(
            tenant: TenantID, sourceType: SourceType.ID, client: String, parameters: [String: String],
            scopes: [String]?, token: RefreshToken
        ) {
            let digests =
                [tenant.description, sourceType.description, client]
                + parameters.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
                + ["scopes"] + (scopes.map { ["given"] + $0.sorted() } ?? [])
            // Each part as its digest: no two lists of parts read the same.
            let bytes = digests.flatMap { Digest(of: $0).bytes } + token.digest.bytes
            digest = Digest(of: bytes)
        }
    }

    /// How long a lost answer can be asked for again.
    static let memory: Int64 = 30
    /// Answers kept at most; beyond it the oldest go.
    private static let capacity = 10_000

    private let now: @Sendable () -> Timestamp
    private var running: [Identity: Task<Result<SecretBytes, RefreshError>, Never>] = [:]
    private var answers: [Identity: SecretBytes] = [:]
    private var order: [(identity: Identity, until: Timestamp)] = []

    init(now: @escaping @Sendable () -> Timestamp) {
        self.now = now
    }

    /// The answer for `identity`: a kept one, the running call's, or `refresh`'s.
    ///
    /// The call goes on where its caller gives up: the provider may have rotated the token already.
    func run(
        _ identity: Identity, _ refresh: @escaping @Sendable () async throws(RefreshError) -> SecretBytes
    ) async throws(RefreshError) -> SecretBytes {
        forget()
        if let answer = answers[identity] { return answer }
        if let task = running[identity] { return try await task.value.get() }
        let task = Task { () async -> Result<SecretBytes, RefreshError> in
            do throws(RefreshError) {
                return .success(try await refresh())
            } catch {
                return .failure(error)
            }
        }
        running[identity] = task
        let result = await task.value
        running[identity] = nil
        if case .success(let answer) = result {
            answers[identity] = answer
            order.append((identity, now().adding(seconds: Self.memory)))
        }
        return try result.get()
    }

    private func forget() {
        let now = now()
        let expired = order.prefix { $0.until <= now }.count
        let superfluous = max(0, order.count - Self.capacity)
        let count = max(expired, superfluous)
        guard count > 0 else { return }
        for (identity, _) in order.prefix(count) { answers[identity] = nil }
        order.removeFirst(count)
    }
}
