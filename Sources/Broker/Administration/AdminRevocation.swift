import Catalog

/// An operator's order to take keys and flows back.
public struct AdminRevocation: Sendable {
    public var selection: Selection
    /// The reason in the operator's words; kept in the audit trail.
    public var reason: String
    /// Providers are asked to take the tokens back too.
    public var atProvider: Bool
    public var requester: Requester

    public init(selection: Selection, reason: String, atProvider: Bool, requester: Requester = .unknown) {
        self.selection = selection
        self.reason = reason
        self.atProvider = atProvider
        self.requester = requester
    }

    /// The outcome.
    public struct Result: Sendable {
        /// Keys that nobody can redeem any more.
        public internal(set) var keys = 0
        public internal(set) var atProvider = 0
        /// The provider offers none: no failure.
        public internal(set) var withoutRevocation = 0
        public internal(set) var failures: [Failure] = []
    }

    /// A token that its provider was not brought to take back. Its key is destroyed all the same.
    public struct Failure: Sendable {
        public let placement: Placement
        public let code: String
    }
}

extension Broker {
    /// Ends every selected flow that was started before, and destroys every selected key; then asks the providers.
    ///
    /// A provider that does not answer costs nothing but its own part of the result.
    public func revoke(_ revocation: AdminRevocation) async throws(StoreError) -> AdminRevocation.Result {
        let event = Event(
            .revocation, at: now(), by: revocation.requester, tenant: revocation.selection.tenant,
            sourceType: revocation.selection.sourceType, flow: revocation.selection.flow, detail: revocation.reason)
        let number = try await store.revokeFlows(revocation.selection, at: event.time, recording: event)
        report(event)
        var destroyed: [DestroyedCredentialKey] = []
        var position: CredentialKeyPosition?
        repeat {
            let batch = try await store.destroyCredentialKeys(
                revocation.selection, startedBefore: number, after: position, limit: 500, by: revocation.requester,
                at: now())
            destroyed += batch.destroyed
            position = batch.position
        } while position != nil
        for key in destroyed { report(Event(.revocation, at: now(), by: revocation.requester, key.placement)) }

        var result = AdminRevocation.Result()
        result.keys = destroyed.count
        guard revocation.atProvider else { return result }
        let tokens = destroyed.filter { $0.revocation != nil }
        result.withoutRevocation = destroyed.count - tokens.count
        for (placement, failure) in await takeBack(tokens, by: revocation.requester) {
            if let failure {
                result.failures.append(AdminRevocation.Failure(placement: placement, code: failure))
            } else {
                result.atProvider += 1
            }
        }
        return result
    }

    /// So many providers are asked at once.
    private static let concurrency = 16
    /// After so many failures in a row to reach it, a source type's provider is not asked again.
    private static let mostFailures = 3

    /// For each credential key why its token was not taken back, or `nil`.
    private func takeBack(
        _ credentialKeys: [DestroyedCredentialKey], by requester: Requester
    ) async -> [(Placement, String?)] {
        await withTaskGroup { group in
            var results: [(Placement, String?)] = []
            var waiting = credentialKeys[...]
            var unreachable: [SourceType.ID: (count: Int, code: String)] = [:]
            var running = 0
            while running > 0 || !waiting.isEmpty {
                while running < Self.concurrency, let key = waiting.popFirst() {
                    if let known = unreachable[key.placement.sourceType], known.count >= Self.mostFailures {
                        results.append((key.placement, known.code))
                        continue
                    }
                    running += 1
                    group.addTask { (key.placement, await takeBack(key, by: requester)) }
                }
                guard let (placement, failure) = await group.next() else { break }
                running -= 1
                results.append((placement, failure))
                if let failure, failure == "provider_unreachable" || failure == "provider_timeout" {
                    unreachable[placement.sourceType, default: (0, failure)].count += 1
                } else {
                    unreachable[placement.sourceType] = nil
                }
            }
            return results
        }
    }

    /// Takes a destroyed credential key's token back; the failure's code, or `nil`.
    private func takeBack(_ key: DestroyedCredentialKey, by requester: Requester) async -> String? {
        let failed = { (code: String, reason: Reason) in
            tell(Incident(.tokenNotRevoked, reason, at: key.placement, requestID: requester.requestID))
            return code
        }
        guard let sealed = key.revocation,
            let token = UnredeemedToken.open(sealed, by: processKey, at: key.placement)
        else { return failed("token_unreadable", "another process keeps it, or this one kept it before a restart") }
        let changed: Reason = "its source type or client is gone, or another than it began with"
        guard let sourceType = catalog[key.placement.sourceType], let profile = sourceType.oauth else {
            return failed("source_type_not_configured", changed)
        }
        let found: Client?
        do {
            found = try await client(for: sourceType, of: key.placement.tenant)
        } catch {
            return failed("unavailable", error.reason)
        }
        guard let client = found, profile.agree(token.values, with: client) else {
            return failed("source_type_not_configured", changed)
        }
        do {
            try await takeBack(token, at: profile, as: client, for: .operators)
            return nil
        } catch {
            return failed(CallbackError(error).code, error.reason)
        }
    }

    func takeBack(
        _ token: UnredeemedToken, at profile: OAuthProfile, as client: Client, for cause: Cause
    ) async throws(ProviderError) {
        let provider = try await provider(profile, token.values, for: cause)
        try await takeBack(token.token, hint: token.hint, at: provider, as: client)
    }

    /// Keys that wait to be redeemed, oldest first.
    public func credentialKeys(
        _ selection: Selection, after position: CredentialKeyPosition? = nil, limit: Int
    ) async throws(StoreError) -> CredentialKeyPage {
        try await store.credentialKeys(selection, at: now(), after: position, limit: limit)
    }
}
