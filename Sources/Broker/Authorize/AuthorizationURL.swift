import Secrets

extension OAuthProfile {
    /// The address that a browser is sent to (RFC 6749 § 4.1.1); `nil` where a value cannot stand in its place.
    func authorizationURL(
        client: Client, redirectURI: String, state: State, verifier: CodeVerifier, scopes: [String],
        values: [String: String]
    ) -> String? {
        guard var url = authorizationURL.filled(with: values) else { return nil }
        url += url.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
        let own = authorizationParameters
        if !own.contains(where: { $0.name == "response_type" }) { url += "response_type=code&" }
        url += "client_id=\(Percent.encode(client.id))&redirect_uri=\(Percent.encode(redirectURI))"
        if !scopes.isEmpty {
            url += "&\(scopeParameter)=\(Percent.encode(scopes.joined(separator: scopeSeparator)))"
        }
        for (name, value) in own where name != scopeParameter || scopes.isEmpty {
            url += "&\(Percent.encode(name))=\(Percent.encode(value))"
        }
        state.expose { url += "&state=\($0)" }
        switch proofKey {
        case .s256: url += "&code_challenge=\(ProofKeyChallenge(of: verifier).text)&code_challenge_method=S256"
        case .plain: verifier.expose { url += "&code_challenge=\($0)&code_challenge_method=plain" }
        case .none: break
        }
        return url
    }

    /// The values for the placeholders, defaults filled in.
    func values(_ given: [String: String]) throws(AuthorizeError) -> [String: String] {
        if parameters.isEmpty, given.isEmpty { return [:] }
        if let unknown = given.keys.sorted().first(where: { name in !parameters.contains { $0.name == name } }) {
            throw .parameterUnknown(name: unknown, known: parameters.map(\.name))
        }
        var values: [String: String] = [:]
        for parameter in parameters {
            guard let value = given[parameter.name] ?? parameter.defaultValue else {
                if parameter.required { throw .parameterMissing(name: parameter.name) }
                continue
            }
            guard parameter.pattern.matches(value) else {
                throw .parameterRejected(name: parameter.name, pattern: parameter.pattern.text)
            }
            values[parameter.name] = value
        }
        // The place has its say too: a generous pattern does not let a value out of it.
        for template in [authorizationURL, tokenURL] where template.filled(with: values) == nil {
            let name = template.misplaced(in: values) ?? ""
            let pattern = parameters.first { $0.name == name }?.pattern.text ?? ""
            throw .parameterRejected(name: name, pattern: pattern)
        }
        return values
    }

    /// The scopes to ask for: the caller's or our own, and those that are always added.
    func scopes(_ given: [String]?) throws(AuthorizeError) -> [String] {
        guard let given else { return defaultScopes }
        // A scope that holds the separator would be two.
        guard given.count <= 200, given.allSatisfy({ Scopes.isToken($0) && !$0.contains(scopeSeparator) }) else {
            throw .scopesMalformed
        }
        return Scopes.union(Scopes.union([], given), alwaysScopes)
    }
}

extension OAuthProfile {
    /// The scopes of a flow whose caller names none.
    public var defaultScopes: [String] { Scopes.union(scopes, alwaysScopes) }
}
