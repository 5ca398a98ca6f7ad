import Catalog
import Formats
import Secrets
import Transport

extension ProviderError {
    /// - Parameters:
    ///   - request: the request that was answered: what it sent is not repeated to anyone, not even to operators.
    ///   - secrets: more that may not be repeated.
    init(
        _ fault: TokenResponse.Fault, _ response: ProviderResponse, _ shape: OAuthProfile.ResponseShape,
        to request: ProviderRequest, as client: Client, hiding secrets: [String] = [],
        at endpoint: ProviderEndpoint = .token
    ) {
        let error: String? = if case .refused(let code) = fault { code } else { nil }
        let hidden = request.sentValues + secrets + (client.secret.map { [$0.expose { $0 }] } ?? [])
        self = .rejected(
            error: error, retryAfter: response.retryAfter,
            reason: "\(endpoint.words): \(fault.reason(response, shape, hiding: hidden))")
    }
}

extension TokenResponse.Fault {
    fileprivate func reason(
        _ response: ProviderResponse, _ shape: OAuthProfile.ResponseShape, hiding secrets: [String]
    ) -> Reason {
        let status = response.status
        switch self {
        case .refused(let code?): return "answered \(status) with the error \(quoted: code)"
        case .refused(nil):
            guard let document = TokenResponse.document(response) else { return "answered \(status) with an error" }
            switch shape.error.value(in: document) {
            case .string(let text)? where !text.isEmpty:
                return "answered \(status) with the error \(quoted: text.hiding(secrets))"
            case nil, .string?, .bool(false)?, .number(0)?:
                let pointer = shape.failureUnless?.pointer.description ?? ""
                return "answered \(status), and \(trusted: pointer) says that it failed"
            default: return "answered \(status) with an error that is no text"
            }
        case .status: return "answered \(status)"
        case .noTokenResponse:
            return TokenResponse.document(response) == nil
                ? "answered \(status) with something that is neither JSON nor a form"
                : "answered \(status) without a sound \(trusted: shape.accessToken.description)"
        }
    }
}
