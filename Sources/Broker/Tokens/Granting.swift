import Catalog
import Formats
import JOSE
import Secrets
import Transport

/// Who asks which provider for tokens, and what for.
struct GrantContext {
    let provider: Provider
    let client: Client
    /// The address that the code was asked for with (RFC 6749 § 4.1.3).
    let redirectURI: String?
    let scopes: [String]
    /// Where to ask, and how.
    let url: String
    let method: RequestMethod
    /// The key that the tokens get bound to (RFC 9449).
    var dpopKey: SigningKey?
}

extension Broker {
    /// The address that a client's flows come back to, for calls that are of no flow.
    func redirectURI(of profile: OAuthProfile, as client: Client) -> String? {
        profile.sourceType.map { redirects.url(of: $0, as: client) }
    }

    /// Asks for tokens; once more where the provider wants its nonce in the proof of possession (RFC 9449 § 8),
    /// which it says before it looks at the code.
    func tokens(
        _ grant: GrantContext, shape: OAuthProfile.ResponseShape, _ request: (TokenRequest.Parties) -> TokenRequest
    ) async throws(ProviderError) -> TokenResponse {
        var nonce: String?
        var cause = grant.provider.cause
        while true {
            let now = now()
            let proof = grant.dpopKey.flatMap {
                DPoPProof.make($0, method: grant.method.rawValue, url: grant.url, nonce: nonce, now: now)
            }
            let request = request(
                TokenRequest.Parties(
                    profile: grant.provider.profile, client: grant.client, redirectURI: grant.redirectURI,
                    values: grant.provider.values, url: grant.url, scopes: grant.scopes,
                    proof: ProofContext(audience: grant.provider.assertionAudience, now: now), dpopProof: proof))
            let response = try await send(request.http, for: cause, at: .token)
            cause = cause.begun
            do {
                return try TokenResponse(response, shape: shape, now: self.now())
            } catch {
                if case .refused("use_dpop_nonce") = error, nonce == nil, grant.dpopKey != nil,
                    let wanted = response.header("dpop-nonce"), wanted.utf8.count <= 512
                {
                    nonce = wanted
                    continue
                }
                throw ProviderError(error, response, shape, to: request.http, as: grant.client)
            }
        }
    }

    /// What the catalog's call after connecting gave.
    enum AfterConnecting {
        case kept(KeptExtras)
        case failed(Reason)
    }

    /// The catalog's one more call with the new token. It may fail, unless it swaps the token.
    func afterConnecting(
        _ tokens: inout TokenResponse, _ grant: GrantContext
    ) async throws(ProviderError) -> AfterConnecting {
        let profile = grant.provider.profile
        var kept = KeptExtras()
        guard let call = profile.afterConnecting else { return .kept(kept) }
        let access = tokens.accessToken.expose { $0 }
        let values = TokenRequest.Parties(
            profile: profile, client: grant.client, redirectURI: grant.redirectURI, values: grant.provider.values,
            url: grant.url, scopes: grant.scopes, proof: ProofContext(audience: nil, now: now()), dpopProof: nil
        ).filling(["accessToken": access])
        guard let url = grant.provider.afterConnecting else {
            return .failed("\(ProviderEndpoint.afterConnecting.words): the catalog's address lacks a value")
        }
        var request = FormRequest(url: url, method: call.method)
        request.sourceType = profile.sourceType
        request.add(call.parameters, filledWith: values)
        for (name, template) in call.headers {
            if let value = template.filled(with: values) { request.set(header: name, value) }
        }
        // RFC 9449 § 7.1: a bound token alone is worth nothing.
        if let key = grant.dpopKey,
            let proof = DPoPProof.make(
                key, method: call.method.rawValue, url: url, accessToken: tokens.accessToken, now: now())
        {
            request.set(header: "DPoP", proof)
        }
        if call.replacesToken {
            let response = try await send(request.http, for: grant.provider.cause, at: .afterConnecting)
            do {
                tokens = try TokenResponse(response, shape: profile.response, now: now()).keeping(tokens)
            } catch {
                throw ProviderError(
                    error, response, profile.response, to: request.http, as: grant.client, hiding: [access],
                    at: .afterConnecting)
            }
            kept.keep(call.extras, of: tokens.document)
            return .kept(kept)
        }
        let response: ProviderResponse
        do {
            response = try await send(request.http, for: grant.provider.cause, at: .afterConnecting)
        } catch {
            return .failed(error.reason)
        }
        guard (200..<300).contains(response.status), let document = JSONValue(json: response.body) else {
            return .failed(
                "\(ProviderEndpoint.afterConnecting.words): answered \(response.status), or with something else than JSON"
            )
        }
        kept.keep(call.extras, of: document)
        return .kept(kept)
    }
}
