import Catalog
import Formats
import Secrets

/// The credentials that a provider issued for a verified callback, not yet handed to anyone.
///
/// Only the exchange makes them, and they end in one of two ways: kept under a new credential key, or revoked.
struct IssuedCredentials: Sendable {
    let callback: VerifiedCallback
    let credentials: Credentials
    /// The reason where the call after connecting failed.
    let missingExtras: Reason?

    fileprivate init(_ callback: VerifiedCallback, credentials: Credentials, missingExtras: Reason?) {
        self.callback = callback
        self.credentials = credentials
        self.missingExtras = missingExtras
    }

    var flow: Flow { callback.flow }

    /// The token that an operator's revocation would revoke; `nil` where the provider revokes none of what it granted.
    var revocable: UnredeemedToken? { UnredeemedToken(credentials, callback.provider) }

    /// The remarks for the audit trail on a flow that succeeded.
    var remarks: String? {
        let remarks = [missingExtras, callback.claimed.callback.remark(on: callback.provider.profile)].compactMap(
            \.self)
        return remarks.isEmpty ? nil : remarks.map(\.description).joined(separator: "; ")
    }
}

extension Broker {
    /// Trades the code for tokens, once.
    func exchange(_ verified: VerifiedCallback) async throws(CallbackFailure) -> IssuedCredentials {
        let flow = verified.flow
        let provider = verified.provider
        let profile = provider.profile
        guard let verifier = secrets.codeVerifier(of: verified.claimed.state, key: flow.key) else {
            throw CallbackFailure(.invalidState, "the master key \(flow.key), which it began under, is not in the file")
        }
        guard let url = provider.token else {
            throw CallbackFailure(.notConfigured(flow.sourceType), provider.withoutTokenEndpoint)
        }
        let endpoint = TokenEndpoint(
            url, of: provider, as: verified.client,
            redirectURI: provider.redirectURI ?? redirects.url(flow.redirect), scopes: flow.scopes)
        let source = TenantSource(sourceType: flow.sourceType, profile: profile, client: verified.client)
        do throws(ProviderError) {
            var tokens = try await exchange(
                .authorizationCode(verified.code, state: verified.claimed.state, verifier: verifier), at: endpoint)
            await noteClient(nil, of: source, with: flow.parameters, of: flow.tenant)
            if profile.openID {
                try await check(
                    tokens, of: provider, client: verified.client, code: verified.code,
                    nonce: secrets.nonce(of: verified.claimed.state, key: flow.key))
            }
            let informed = provider.knowing(profile.learned(from: tokens))
            let connected = try await afterConnecting(&tokens, at: endpoint.of(informed))
            var credentials = profile.credentials(
                tokens, callback: verified.claimed.callback, asked: flow.scopes, told: informed.values)
            credentials.add(connected, dpopKey: endpoint.dpopKey)
            return IssuedCredentials(
                verified.of(informed), credentials: credentials, missingExtras: connected.failure)
        } catch {
            await noteClient(error, of: source, with: flow.parameters, of: flow.tenant, inFlow: true)
            throw CallbackFailure(error)
        }
    }

    /// Keeps issued credentials under a new key. `nil` where the flow was revoked or swept meanwhile.
    func keep(_ issued: IssuedCredentials) async throws(CallbackFailure) -> CredentialKey? {
        let flow = issued.flow
        guard let json = try? issued.credentials.exposedJSON(sourceType: flow.sourceType) else {
            throw CallbackFailure(.providerRejected(error: nil), "the tokens cannot be written as JSON")
        }
        let key = CredentialKey.make()
        let now = now()
        let stored = StoredCredentialKey(
            keyDigest: key.digest,
            credentials: vault.seal(json, at: flow.placement, under: key),
            key: issued.callback.claimed.binding.map { vault.seal(key, at: flow.placement, under: $0) },
            revocation: issued.revocable?.sealed(by: processKey, at: flow.placement),
            createdAt: now, expiresAt: now.adding(seconds: settings.credentialKeyLifetime))
        let event = Event(
            .flowSucceeded, at: now, by: issued.callback.claimed.callback.requester, flow.placement,
            detail: issued.remarks)
        let kept: Bool
        do {
            kept = try await store.succeed(flow.id, with: stored, recording: event)
        } catch {
            throw CallbackFailure(error)
        }
        guard kept else { return nil }
        report(event)
        return key
    }

    /// Has the provider revoke issued credentials: an operator revoked the flow while the provider was asked, and
    /// nobody may have its tokens.
    func takeBack(_ issued: IssuedCredentials) async {
        guard let token = issued.revocable else { return }
        let (provider, requester) = (issued.callback.provider, issued.callback.claimed.callback.requester)
        do {
            try await takeBack(token, at: provider.profile, as: issued.callback.client, for: provider.cause)
        } catch {
            tell(Incident(.tokenNotRevoked, error.reason, at: issued.flow.placement, requestID: requester.requestID))
        }
    }
}
