import Catalog
import Formats

/// An operator's order to revoke flows and the credential keys that wait (Docs/Contract.md#operators).
public struct AdminRevocation: Sendable {
    /// The flows and keys concerned; one without any condition means all of them.
    public var selection: Selection
    /// The reason in the operator's words; kept in the audit trail.
    public var reason: String
    /// True if providers are asked to revoke the tokens too.
    public var atProvider: Bool
    /// The operator, for the audit trail.
    public var requester: Requester

    /// Checks nothing: the route sees to it that "everything" was meant, and bounds the reason.
    public init(selection: Selection, reason: String, atProvider: Bool, requester: Requester = .unknown) {
        self.selection = selection
        self.reason = reason
        self.atProvider = atProvider
        self.requester = requester
    }

    /// The outcome, in numbers of keys; flows without a key are not counted.
    public struct Result: Sendable {
        /// Keys that were destroyed, expired ones included.
        public internal(set) var keys = 0
        /// Tokens that their providers revoked.
        public internal(set) var atProvider = 0
        /// Keys whose provider revokes no token of theirs: no failure.
        public internal(set) var withoutRevocation = 0
        /// Tokens that may still be valid at their providers.
        public internal(set) var failures: [Failure] = []
    }

    /// A token that its provider was asked to revoke and did not, or that could not be asked for. Its key is destroyed
    /// all the same.
    public struct Failure: Sendable {
        /// The key's flow, with its tenant and source type.
        public let placement: Placement
        /// A code as `CallbackError.code` has them (such as `provider_timeout`), or `token_unreadable` where the token
        /// was kept by another process or before a restart.
        public let code: String
    }
}

extension Broker {
    /// Ends every selected flow that was started before, so that no key of theirs can be redeemed; then destroys the
    /// keys, batch by batch, and asks the providers for each batch.
    ///
    /// A provider that fails is a failure in the result. Throws where the store fails; flows are ended by then, and the
    /// tokens of the keys that were destroyed are taken back, so that the same order can be given again for the rest.
    public func revoke(_ revocation: AdminRevocation) async throws(StoreError) -> AdminRevocation.Result {
        let event = Event(
            .revocation, at: now(), by: revocation.requester, tenant: revocation.selection.tenant,
            sourceType: revocation.selection.sourceType, flow: revocation.selection.flow, detail: revocation.reason)
        let number = try await store.revokeFlows(revocation.selection, at: event.time, recording: event)
        report(event)
        var result = AdminRevocation.Result()
        var unreachable = UnreachableProviders()
        var position: CredentialKeyPosition?
        repeat {
            let batch = try await store.destroyCredentialKeys(
                revocation.selection, startedBefore: number, after: position, limit: 500, by: revocation.requester,
                at: now())
            for key in batch.destroyed {
                report(Event(.revocation, at: now(), by: revocation.requester, key.placement))
            }
            result.keys += batch.destroyed.count
            if revocation.atProvider {
                // Before the next batch is tried: nobody else has the tokens of this one.
                result.add(await takeBack(batch.destroyed, by: revocation.requester, sparing: &unreachable))
            }
            position = batch.position
        } while position != nil
        return result
    }

    /// The most requests to providers at once.
    private static let concurrency = 16

    /// Asks for the revocation of the keys' tokens, and counts what came of it.
    private func takeBack(
        _ destroyed: [DestroyedCredentialKey], by requester: Requester, sparing unreachable: inout UnreachableProviders
    ) async -> AdminRevocation.Result {
        var result = AdminRevocation.Result()
        let tokens = destroyed.filter { $0.revocation != nil }
        result.withoutRevocation = destroyed.count - tokens.count
        for (placement, failure) in await takeBack(each: tokens, by: requester, sparing: &unreachable) {
            if let failure {
                result.failures.append(AdminRevocation.Failure(placement: placement, code: failure))
            } else {
                result.atProvider += 1
            }
        }
        return result
    }

    /// Asks for the revocation of each key's token. Gives the failure's code, or `nil` where it was revoked.
    private func takeBack(
        each credentialKeys: [DestroyedCredentialKey], by requester: Requester,
        sparing known: inout UnreachableProviders
    ) async -> [(Placement, String?)] {
        var unreachable = known
        defer { known = unreachable }
        return await withTaskGroup(of: (Placement, String, String?).self) { group in
            var results: [(Placement, String?)] = []
            var waiting = credentialKeys[...]
            var running = 0
            while running > 0 || !waiting.isEmpty {
                while running < Self.concurrency, let key = waiting.popFirst() {
                    let token = token(of: key)
                    let target = revocationTarget(of: key, token)
                    if let code = unreachable.code(of: target) {
                        results.append((key.placement, code))
                        continue
                    }
                    running += 1
                    group.addTask { [self] in (key.placement, target, await takeBack(token, of: key, by: requester)) }
                }
                guard let (placement, target, failure) = await group.next() else { break }
                running -= 1
                results.append((placement, failure))
                unreachable.note(failure, of: target)
            }
            return results
        }
    }

    /// Asks for the revocation of a destroyed key's token. Gives the failure's code, or `nil` where it was revoked.
    private func takeBack(
        _ token: UnredeemedToken?, of key: DestroyedCredentialKey, by requester: Requester
    ) async -> String? {
        let failed = { [tell] (code: String, reason: Reason) in
            tell(Incident(.tokenNotRevoked, reason, at: key.placement, requestID: requester.requestID))
            return code
        }
        guard let token else {
            return failed("token_unreadable", "another process keeps it, or this one kept it before a restart")
        }
        let changed: Reason = "its source type or client is gone, or another than it began with"
        guard let sourceType = catalog[key.placement.sourceType], let profile = sourceType.oauth else {
            return failed("source_type_not_configured", changed)
        }
        let found: TenantSource?
        do throws(StoreError) {
            found =
                profile.resourceParameter == nil
                ? try await client(for: sourceType, of: key.placement.tenant)
                    .map { TenantSource(sourceType: sourceType.id, profile: profile, client: $0) }
                : try await source(sourceType, startedWith: token.values, of: key.placement.tenant)
        } catch {
            return failed("unavailable", error.reason)
        }
        guard let found, profile.agree(token.values, with: found.client) else {
            return failed("source_type_not_configured", changed)
        }
        do {
            try await takeBack(token, at: found.profile, as: found.client, for: .operators)
            return nil
        } catch {
            return failed(CallbackError(error).code, error.reason)
        }
    }

    /// `nil` where another process sealed it.
    private func token(of key: DestroyedCredentialKey) -> UnredeemedToken? {
        key.revocation.flatMap { UnredeemedToken.open($0, by: processKey, at: key.placement) }
    }

    /// The host that is asked to revoke a key's token, or the source type where only metadata tells: what cannot be
    /// reached together. One source type may have many hosts. Of a server that was found, its issuer: a hostile one may
    /// name another host in each flow.
    private func revocationTarget(of key: DestroyedCredentialKey, _ token: UnredeemedToken?) -> String {
        let name = key.placement.sourceType.description
        guard let token, let profile = catalog[key.placement.sourceType]?.oauth else { return name }
        if let connected = ConnectedServer(token.values, of: profile) { return "issuer \(connected.issuer)" }
        // A path that has the client's id or the token in it is not told here; the host has neither.
        let values = token.values.merging(["clientId": "a", "token": "a"]) { $1 }
        let address = profile.addresses.filled(
            profile.addresses.current(values, at: now()).revocation, with: values)
        return address.flatMap { StrictURL($0) }?.origin.description ?? "\(name) \(profile.issuer(values) ?? "")"
    }

    func takeBack(
        _ token: UnredeemedToken, at profile: OAuthProfile, as client: Client, for cause: Cause
    ) async throws(ProviderError) {
        let provider = try await provider(profile, token.values, for: cause)
        try await takeBack(token.token, hint: token.hint, at: provider, as: client)
    }

    /// Keys that wait to be redeemed and have not expired, oldest first: `limit` at most, after `position`.
    public func credentialKeys(
        _ selection: Selection, after position: CredentialKeyPosition? = nil, limit: Int
    ) async throws(StoreError) -> CredentialKeyPage {
        try await store.credentialKeys(selection, at: now(), after: position, limit: limit)
    }
}

extension AdminRevocation.Result {
    /// Adds the numbers of another batch.
    fileprivate mutating func add(_ other: Self) {
        keys += other.keys
        atProvider += other.atProvider
        withoutRevocation += other.withoutRevocation
        failures += other.failures
    }
}

/// The hosts that could not be reached in a row, and so are not asked again during one order.
private struct UnreachableProviders {
    /// The number of failures in a row after which a provider is not asked again.
    private static let mostFailures = 3
    private var failures: [String: (count: Int, code: String)] = [:]

    /// The code of the failures where there were too many, else `nil`.
    func code(of target: String) -> String? {
        failures[target].flatMap { $0.count >= Self.mostFailures ? $0.code : nil }
    }

    /// Counts the end of a request: its failure's code, or `nil`.
    mutating func note(_ failure: String?, of target: String) {
        if let failure, failure == "provider_unreachable" || failure == "provider_timeout" {
            failures[target, default: (0, failure)].count += 1
        } else {
            failures[target] = nil
        }
    }
}
