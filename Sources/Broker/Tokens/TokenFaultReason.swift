import Catalog
import Formats
import Secrets
import Transport

extension ProviderError {
    /// - Parameters:
    ///   - request: the request that was answered: what it sent is not repeated to anyone, not even to operators.
    ///   - token: the token that it was sent with, if any: not repeated either.
    init(
        _ fault: TokenResponse.Fault, in response: ProviderResponse, shape: OAuthProfile.ResponseShape,
        to request: TransportRequest, as client: Client, hiding token: AccessToken? = nil,
        at endpoint: ProviderEndpoint = .token, now: Timestamp
    ) {
        let error: String? = if case .refused(let code) = fault { code } else { nil }
        var hidden = HiddenValues(in: request, of: client)
        hidden.add(token)
        self = .rejected(
            error: error.flatMap(hidden.code), retryAfter: response.retryAfter(at: now),
            reason: "\(endpoint.words): \(fault.reason(response, shape, hiding: hidden))")
    }
}

extension ProviderError {
    /// The same, for an answer that says in these words that the grant is dead (RFC 6749 § 5.2).
    func deadGrant(_ words: FoldedText) -> ProviderError {
        guard case .rejected(let error, let retryAfter, let reason) = self, error != Self.invalidGrant else {
            return self
        }
        return .rejected(
            error: Self.invalidGrant, retryAfter: retryAfter,
            reason: "\(reason), which says \(quoted: words.description)")
    }

    /// The code of a refresh that no repetition helps.
    static let invalidGrant = "invalid_grant"
}

extension TokenResponse.Fault {
    fileprivate func reason(
        _ response: ProviderResponse, _ shape: OAuthProfile.ResponseShape, hiding hidden: HiddenValues
    ) -> Reason {
        let status = response.status
        switch self {
        case .refused(let code?): return "answered \(status) with the error \(quoted: hidden.redacted(code))"
        case .refused(nil):
            guard let document = TokenResponse.document(response, after: shape.prefix) else {
                return "answered \(status) with an error"
            }
            switch shape.error.value(in: document) {
            case .string(let text)? where !text.isEmpty:
                return "answered \(status) with the error \(quoted: hidden.redacted(text))"
            case nil, .string?, .bool(false)?, .number(0)?:
                let pointer = shape.failureUnless?.pointer.description ?? ""
                return "answered \(status), and \(trusted: pointer) says that it failed"
            default: return "answered \(status) with an error that is no text"
            }
        case .status: return "answered \(status)"
        case .noTokenResponse:
            return TokenResponse.document(response, after: shape.prefix) == nil
                ? "answered \(status) with something that is neither JSON nor a form"
                : "answered \(status) without a sound \(trusted: shape.accessToken.description)"
        }
    }
}
