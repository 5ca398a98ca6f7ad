import Catalog
import Formats
import JOSE
import Secrets
import Transport

/// The outcome of the catalog's call after connecting.
enum AfterConnecting: Sendable {
    case kept(KeptExtras)
    case failed(Reason)

    var failure: Reason? { if case .failed(let reason) = self { reason } else { nil } }
}

extension Broker {
    /// Makes the catalog's one more call with the new token. A failure loses its extras; only where the call swaps the
    /// token, it throws.
    func afterConnecting(
        _ tokens: inout TokenResponse, at endpoint: TokenEndpoint
    ) async throws(ProviderError) -> AfterConnecting {
        let provider = endpoint.provider
        var kept = KeptExtras()
        guard let call = provider.profile.afterConnecting else { return .kept(kept) }
        guard let url = provider.afterConnecting else {
            return .failed("\(ProviderEndpoint.afterConnecting.words): the catalog's address lacks a value")
        }
        let request = afterConnectingRequest(call, to: url, with: tokens.accessToken, at: endpoint)
        if call.replacesToken {
            let response = try await send(request, to: provider, at: .afterConnecting)
            let first = tokens
            do {
                tokens = try TokenResponse(response, shape: provider.profile.response, now: now()).keeping(first)
            } catch {
                throw ProviderError(
                    error, in: response, shape: provider.profile.response, to: request, as: endpoint.client,
                    hiding: first.accessToken, at: .afterConnecting, now: now())
            }
            kept.keep(call.extras, of: tokens.document)
            return .kept(kept)
        }
        let response: ProviderResponse
        do {
            response = try await send(request, to: provider, at: .afterConnecting)
        } catch {
            return .failed(error.reason)
        }
        guard (200..<300).contains(response.status), let document = JSONValue(json: response.body) else {
            return .failed(
                "\(ProviderEndpoint.afterConnecting.words): answered \(response.status), or with something else than JSON"
            )
        }
        kept.keep(call.extras, of: SecretJSON(document))
        return .kept(kept)
    }

    private func afterConnectingRequest(
        _ call: OAuthProfile.AfterConnecting, to url: String, with token: AccessToken, at endpoint: TokenEndpoint
    ) -> TransportRequest {
        var values = endpoint.placeholders
        values.set("accessToken", to: token)
        var request = FormRequest(url: url, method: call.method)
        request.parameters.add(call.parameters, filledWith: values)
        for (name, template) in call.headers {
            if let value = values.header(template) { request.set(header: name, value) }
        }
        // RFC 9449 § 7.1: a bound token alone is worth nothing.
        if let key = endpoint.dpopKey,
            let proof = DPoPProof.make(key, method: call.method.rawValue, url: url, accessToken: token, now: now())
        {
            request.set(header: "DPoP", proof)
        }
        return request.http
    }
}
