import Catalog
import Formats
import JOSE
import Secrets

/// The request that trades a code, or a refresh token, for tokens. Building it needs no network.
struct TokenRequest {
    let http: ProviderRequest

    /// Who asks, for which grant, and where.
    struct Parties {
        let profile: OAuthProfile
        let client: Client
        let redirectURI: String?
        /// The flow's parameters, and the callback's host where the catalog takes it from there.
        let values: [String: String]
        /// Filled, from the catalog or the provider's metadata.
        let url: String
        let scopes: [String]
        let proof: ProofContext
        /// A proof of possession for this request (RFC 9449 § 5).
        let dpopProof: String?

        /// What placeholders stand for.
        func filling(_ own: [String: String]) -> [String: String] {
            var all = values
            all["scope"] = scopes.joined(separator: profile.scopeSeparator)
            all["clientId"] = client.id
            all["clientSecret"] = client.secret?.expose { $0 }
            all["redirectURI"] = redirectURI
            return all.merging(own) { $1 }
        }
    }

    /// RFC 6749 § 4.1.3, with the verifier of RFC 7636 § 4.5.
    init(exchange code: AuthorizationCode, state: State, verifier: CodeVerifier, _ parties: Parties) {
        var members: [(name: String, value: String)] = [
            ("grant_type", "authorization_code"),
            ("code", code.expose { $0 }),
        ]
        if let redirectURI = parties.redirectURI { members.append(("redirect_uri", redirectURI)) }
        if parties.profile.proofKey != .none { members.append(("code_verifier", verifier.expose { $0 })) }
        http = Self.http(
            members, parties, method: parties.profile.tokenMethod, parameters: parties.profile.exchangeParameters,
            own: { ["code": code.expose { $0 }, "state": state.expose { $0 }] })
    }

    /// RFC 6749 § 6. A scope goes along only where the caller wants less than was granted.
    init(refresh token: RefreshToken, narrowed: Bool, _ parties: Parties) {
        var members: [(name: String, value: String)] = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token.expose { $0 }),
        ]
        if narrowed, !parties.scopes.isEmpty {
            members.append(("scope", parties.scopes.joined(separator: parties.profile.scopeSeparator)))
        }
        http = Self.http(
            members, parties, method: parties.profile.refreshMethod, parameters: parties.profile.refreshParameters,
            own: { ["refreshToken": token.expose { $0 }] })
    }

    private static func http(
        _ members: [(name: String, value: String)], _ parties: Parties, method: RequestMethod,
        parameters: [(name: String, value: ValueTemplate?)], own: () -> [String: String]
    ) -> ProviderRequest {
        let profile = parties.profile
        var request = FormRequest(
            url: parties.url, method: method, format: profile.tokenRequestFormat, members: members)
        request.sourceType = profile.sourceType
        request.authenticate(as: parties.client, by: profile.clientAuthentication, at: parties.proof)
        // RFC 8707 § 2.2.
        for resource in profile.resources { request.members.append(("resource", resource)) }
        if !profile.tokenParameters.isEmpty || !parameters.isEmpty {
            let values = parties.filling(own())
            request.add(profile.tokenParameters, filledWith: values)
            request.replace(parameters, filledWith: values)
        }
        for (name, value) in profile.tokenHeaders { request.set(header: name, value) }
        if let proof = parties.dpopProof { request.set(header: "DPoP", proof) }
        return request.http
    }
}
