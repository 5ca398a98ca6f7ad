import Catalog
import Formats
import Secrets

/// A claimed flow whose callback comes from its provider, for the client that asked, with one code.
///
/// Only `verify` makes one: no code goes to a token endpoint before its signature and its `iss` were checked.
final class VerifiedCallback: Sendable {
    let claimed: ClaimedFlow
    let code: AuthorizationCode
    let client: Client
    let provider: Provider

    fileprivate init(_ claimed: ClaimedFlow, code: AuthorizationCode, client: Client, provider: Provider) {
        self.claimed = claimed
        self.code = code
        self.client = client
        self.provider = provider
    }

    var flow: Flow { claimed.flow }

    /// The same callback, once its provider told more.
    func of(_ provider: Provider) -> VerifiedCallback {
        VerifiedCallback(claimed, code: code, client: client, provider: provider)
    }
}

extension Broker {
    /// Throws unless the callback of a claimed flow is sound, and its client is still the one that asked.
    func verify(_ claimed: ClaimedFlow) async throws(CallbackFailure) -> VerifiedCallback {
        let source = try await source(of: claimed.flow)
        try claimed.checkSignature(of: source)
        let values = try claimed.values(of: source.profile)
        let provider: Provider
        do {
            provider = try await self.provider(source.profile, values, for: .flow(claimed.flow.tenant))
        } catch {
            throw CallbackFailure(error)
        }
        return VerifiedCallback(
            claimed, code: try claimed.callback.code(from: provider, as: source.client), client: source.client,
            provider: provider)
    }

    /// The source type and the client that a flow began with.
    private func source(of flow: Flow) async throws(CallbackFailure) -> TenantSource {
        guard let sourceType = catalog[flow.sourceType], let profile = sourceType.oauth else {
            throw CallbackFailure(
                .notConfigured(flow.sourceType), "the catalog has no such source type with OAuth any more")
        }
        let found: TenantSource?
        do throws(StoreError) {
            found =
                profile.resourceParameter == nil
                ? try await client(for: sourceType, of: flow.tenant)
                    .map { TenantSource(sourceType: flow.sourceType, profile: profile, client: $0) }
                : try await source(sourceType, startedWith: flow.parameters, of: flow.tenant)
        } catch {
            throw CallbackFailure(error)
        }
        guard let found else {
            throw CallbackFailure(.invalidState, "its client was taken away since it began")
        }
        let client = found.client
        // Another's secret must not go to the server of this flow, nor this flow's code to the server of another.
        guard client.id.isExactly(flow.clientID), profile.agree(flow.parameters, with: client) else {
            throw CallbackFailure(.invalidState, "its client, or that client's parameters, changed since it began")
        }
        return found
    }
}

extension ClaimedFlow {
    /// Throws unless the callback is signed, where the source type's provider signs callbacks.
    fileprivate func checkSignature(of source: TenantSource) throws(CallbackFailure) {
        guard let name = source.profile.callbackSignature else { return }
        guard let secret = source.client.secret, case .one(let signature) = callback[name],
            callback.isSigned(signature, leavingOut: name, with: secret)
        else { throw CallbackFailure(.invalidCallback, "its signature (\(trusted: name)) is missing or does not fit") }
    }

    /// The flow's parameters, with the token endpoint's host where the callback names it.
    fileprivate func values(of profile: OAuthProfile) throws(CallbackFailure) -> [String: String] {
        try withOrigin(profile).merging(learned(profile)) { $1 }
    }

    /// What the callback tells for later requests.
    private func learned(_ profile: OAuthProfile) throws(CallbackFailure) -> [String: String] {
        var learned: [String: String] = [:]
        for value in profile.learned {
            guard let name = value.callbackParameter else { continue }
            switch callback[name] {
            case .one(let text) where value.value(in: text) != nil: learned[value.name] = value.value(in: text)
            case .absent where !value.required || callback.error(to: profile) != nil: break
            default:
                throw CallbackFailure(
                    .invalidCallback, "its \(trusted: name) is missing, repeated or not of the entry's pattern")
            }
        }
        return learned
    }

    private func withOrigin(_ profile: OAuthProfile) throws(CallbackFailure) -> [String: String] {
        guard let tokenOrigin = profile.addresses.tokenOrigin else { return flow.parameters }
        switch callback[tokenOrigin.callbackParameter] {
        case .absent where !tokenOrigin.required: return flow.parameters
        case .one(let value)
        where tokenOrigin.origin(value, allowInsecure: profile.addresses.allowInsecure) != nil:
            return flow.parameters.merging([tokenOrigin.callbackParameter: value]) { $1 }
        // Errors come without it.
        case .absent where callback.error(to: profile) != nil: return flow.parameters
        default:
            throw CallbackFailure(
                .invalidCallback,
                "its \(trusted: tokenOrigin.callbackParameter) is missing, repeated or no host of the provider")
        }
    }
}

extension CallbackRequest {
    /// The one code, once the answer is known to come from this provider and to be no error.
    fileprivate func code(
        from provider: Provider, as client: Client
    ) throws(CallbackFailure) -> AuthorizationCode {
        var hidden = hidden
        hidden.add(client.secret)
        // RFC 9207 § 2.4: compared as plain strings, for errors as well, before anything else is believed.
        switch self["iss"] {
        case .one where provider.profile.issuer == nil, .garbled where provider.profile.issuer == nil: break
        case .one(let stated) where provider.issuer.map { IssuerName($0).admits(stated) } == true: break
        case .absent where !provider.requiresIssuer: break
        case .absent: throw CallbackFailure(.issuerMismatch, "no iss came, though this provider sends it (RFC 9207)")
        case .repeated: throw CallbackFailure(.issuerMismatch, "iss came twice")
        case .one(let stated), .garbled(let stated):
            let slip: Reason = ", which differs from the entry's issuer by the trailing slash alone"
            let isSlip = provider.issuer?.differsBySlash(from: stated) == true
            throw CallbackFailure(
                .issuerMismatch, "iss is \(quoted: hidden.redacted(issuer: stated))\(isSlip ? slip : "")")
        }
        switch (error(to: provider.profile), self[provider.profile.callbackCode]) {
        case (nil, .one(let code)): return AuthorizationCode(code)
        case (let error?, .absent):
            throw CallbackFailure(
                .denied(
                    error: CallbackError.denial(error.code(hiding: hidden)),
                    description: error.description.map { ProviderText.sentence(hidden.redacted($0)) }),
                "the provider redirected with the error \(said(error, hiding: hidden))")
        case (nil, .garbled): throw CallbackFailure(.invalidCallback, "the code has bytes that are no text")
        case (nil, _): throw CallbackFailure(.invalidCallback, "no code came")
        default: throw CallbackFailure(.invalidCallback, "a code and an error came together")
        }
    }
}
