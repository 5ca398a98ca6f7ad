import Catalog
import Secrets
import Transport

extension Broker {
    /// Trades a grant for tokens; asks once more where the provider wants its nonce in the proof of possession
    /// (RFC 9449 § 8), which it says before it looks at the code.
    func exchange(
        _ grant: TokenRequest.Grant, at endpoint: TokenEndpoint
    ) async throws(ProviderError) -> TokenResponse {
        let shape = grant.responseShape(endpoint.provider.profile)
        var nonce: String?
        var provider = endpoint.provider
        while true {
            let request = TokenRequest(grant, at: endpoint, dpopNonce: nonce, now: now())
            let response = try await send(request.http, to: provider, at: .token)
            provider = provider.begun
            do {
                return try TokenResponse(response, shape: shape, now: now())
            } catch {
                if case .refused("use_dpop_nonce") = error, nonce == nil, endpoint.dpopKey != nil,
                    let wanted = response.header("dpop-nonce"), wanted.utf8.count <= 512
                {
                    nonce = wanted
                    continue
                }
                let failure = ProviderError(
                    error, in: response, shape: shape, to: request.http, as: endpoint.client, now: now())
                guard grant.isRefresh,
                    let words = response.says(
                        oneOf: endpoint.provider.profile.deadGrantWords, after: shape.prefix)
                else {
                    throw failure
                }
                throw failure.deadGrant(words)
            }
        }
    }
}
