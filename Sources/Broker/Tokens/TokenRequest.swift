import Catalog
import Formats
import JOSE
import Secrets
import Transport

/// The request that exchanges a code, or a refresh token, for tokens. Building it needs no network.
struct TokenRequest {
    let http: TransportRequest

    /// The grant that is exchanged.
    enum Grant: Sendable {
        /// A code (RFC 6749 § 4.1.3), with the verifier of RFC 7636 § 4.5.
        case authorizationCode(AuthorizationCode, state: State, verifier: CodeVerifier)
        /// A refresh token (RFC 6749 § 6). Scopes are sent only where the caller wants less than was granted.
        case refreshToken(RefreshToken, isNarrowed: Bool)
    }

    /// - Parameter dpopNonce: the nonce that the server asked for last (RFC 9449 § 8).
    init(_ grant: Grant, at endpoint: TokenEndpoint, dpopNonce: String? = nil, now: Timestamp) {
        let profile = endpoint.provider.profile
        let method = grant.method(profile)
        var request = FormRequest(
            url: endpoint.url, method: method, format: profile.tokenRequestFormat,
            parameters: grant.parameters(at: endpoint))
        request.authenticate(
            as: endpoint.client, by: profile.clientAuthentication,
            at: ProofContext(audience: endpoint.provider.assertionAudience, now: now))
        // RFC 8707 § 2.2.
        for resource in profile.resources { request.parameters.append("resource", resource) }
        if profile.clientCertificate { request.certificate = endpoint.client.certificate }
        let own = grant.ownParameters(profile)
        if !profile.tokenParameters.isEmpty || !own.isEmpty || !profile.tokenHeaders.isEmpty {
            var values = endpoint.placeholders
            grant.fill(&values)
            request.parameters.add(profile.tokenParameters, filledWith: values)
            request.parameters.replace(own, filledWith: values)
            for (name, template) in profile.tokenHeaders {
                if let value = values.header(template) { request.set(header: name, value) }
            }
        }
        // RFC 9449 § 5.
        if let key = endpoint.dpopKey,
            let proof = DPoPProof.make(key, method: method.rawValue, url: endpoint.url, nonce: dpopNonce, now: now)
        {
            request.set(header: "DPoP", proof)
        }
        http = request.http
    }
}

extension TokenRequest.Grant {
    var isRefresh: Bool {
        switch self {
        case .authorizationCode: false
        case .refreshToken: true
        }
    }

    /// The form of the answer.
    func responseShape(_ profile: OAuthProfile) -> OAuthProfile.ResponseShape {
        switch self {
        case .authorizationCode: profile.response
        case .refreshToken: profile.refreshResponse
        }
    }

    fileprivate func method(_ profile: OAuthProfile) -> RequestMethod {
        switch self {
        case .authorizationCode: profile.tokenMethod
        case .refreshToken: profile.refreshMethod
        }
    }

    /// The catalog's parameters that take others' places.
    fileprivate func ownParameters(_ profile: OAuthProfile) -> [(name: String, value: ValueTemplate?)] {
        switch self {
        case .authorizationCode: profile.exchangeParameters
        case .refreshToken: profile.refreshParameters
        }
    }

    fileprivate func parameters(at endpoint: TokenEndpoint) -> RequestParameters {
        let profile = endpoint.provider.profile
        var parameters = RequestParameters()
        switch self {
        case .authorizationCode(let code, _, let verifier):
            parameters.append("grant_type", "authorization_code")
            parameters.append("code", code)
            if let redirectURI = endpoint.redirectURI { parameters.append("redirect_uri", redirectURI) }
            if profile.proofKey != .none { parameters.append("code_verifier", verifier) }
        case .refreshToken(let token, let isNarrowed):
            parameters.append("grant_type", "refresh_token")
            parameters.append("refresh_token", token)
            if isNarrowed, !endpoint.scopes.isEmpty {
                parameters.append("scope", endpoint.scopes.joined(separator: profile.scopeSeparator))
            }
        }
        return parameters
    }

    fileprivate func fill(_ values: inout PlaceholderValues) {
        switch self {
        case .authorizationCode(let code, let state, _):
            values.set("code", to: code)
            values.set("state", to: state)
        case .refreshToken(let token, _):
            values.set("refreshToken", to: token)
        }
    }
}
