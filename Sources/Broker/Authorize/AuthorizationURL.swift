import Catalog
import Formats
import Secrets

/// The address to which a browser is sent to consent (RFC 6749 § 4.1.1).
///
/// Its query holds `state` and perhaps a nonce or a plain code challenge, which only the browser that connects may see.
/// So it prints without its query.
public struct AuthorizationURL: Sendable {
    private let text: String

    /// - Parameter fragment: the endpoint's. The page of a single-page application (`/consent`) takes the parameters
    ///   there; any other stays at the end.
    init(_ endpoint: String, fragment: String? = nil, parameters: RequestParameters) {
        let form = parameters.expose { Percent.form($0) }
        if let fragment, fragment.utf8.first == UInt8(ascii: "/") {
            text = "\(endpoint)#\(fragment)?\(form)"
        } else {
            let separator = endpoint.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
            text = endpoint + separator + form + (fragment.map { "#\($0)" } ?? "")
        }
    }

    /// Hands the address to `use`, and nowhere else.
    public func expose<Result, Failure: Error>(_ use: (String) throws(Failure) -> Result) throws(Failure) -> Result {
        try use(text)
    }
}

extension AuthorizationURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The endpoint, and `?[redacted]`.
    public var description: String {
        let endpoint = text.utf8.prefix { $0 != UInt8(ascii: "?") }
        return "\(String(decoding: endpoint, as: UTF8.self))?[redacted]"
    }
    /// The same as `description`.
    public var debugDescription: String { description }
    /// Empty, so that `dump` does not show the query.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension OAuthProfile {
    /// The parameters of an authorization request (RFC 6749 § 4.1.1), in a stable order.
    ///
    /// - Parameter values: what the entry's placeholders stand for.
    func authorizationRequestParameters(
        client: Client, redirectURI: String, state: State, verifier: CodeVerifier, nonce: Nonce?, scopes: [String],
        values: [String: String]
    ) -> RequestParameters {
        var parameters = RequestParameters()
        parameters.reserveCapacity(8 + authorizationParameters.count)
        let own = authorizationParameters
        if !own.contains(where: { $0.name == "response_type" }) { parameters.append("response_type", "code") }
        for (name, value) in [("client_id", client.id), ("redirect_uri", redirectURI)] {
            let renamed = authorizationNames.first { $0.name == name }
            if let name = renamed.map(\.other) ?? name { parameters.append(name, value) }
        }
        if !scopes.isEmpty, !own.contains(where: { $0.name == scopeParameter && $0.value == nil }) {
            parameters.append(scopeParameter, scopes.joined(separator: scopeSeparator))
        }
        for (name, template) in own where name != scopeParameter || scopes.isEmpty {
            guard let template else { continue }
            let filled = template.names.isEmpty ? template.text : template.filled(with: values, client)
            if let filled { parameters.append(name, filled) }
        }
        parameters.append("state", state)
        switch proofKey {
        case .s256:
            parameters.append("code_challenge", CodeChallenge(of: verifier).text)
            parameters.append("code_challenge_method", "S256")
        case .plain:
            parameters.append("code_challenge", verifier)
            parameters.append("code_challenge_method", "plain")
        case .none: break
        }
        // OpenID Connect Core § 3.1.2.1.
        if let nonce { parameters.append("nonce", nonce) }
        // RFC 8707 § 2.1.
        for resource in resources { parameters.append("resource", resource) }
        return parameters
    }
}

extension ValueTemplate {
    /// The text with the entry's parameters and `{clientId}` in their places.
    fileprivate func filled(with values: [String: String], _ client: Client) -> String? {
        filled(with: values.merging(["clientId": client.id]) { $1 })
    }
}
