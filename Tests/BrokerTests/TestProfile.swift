import Catalog
import Formats
import Secrets

@testable import Broker

/// The questions that most tests ask of a profile, for a client that sets nothing.
extension OAuthProfile {
    func values(_ given: [String: String]) throws(AuthorizeError) -> [String: String] {
        try values(given, client: Client(id: "client", secret: nil))
    }

    func scopes(_ given: [String]?) throws(AuthorizeError) -> [String] { try scopes(given, values: [:]) }

    var addressTemplates: [URLTemplate] {
        addresses.sets.flatMap { [$0.authorization, $0.token, $0.refresh, $0.revocation].compactMap(\.self) }
    }

    /// The address that a browser is sent to; `nil` where a value cannot stand in its place.
    func authorizationURL(
        client: Client, redirectURI: String, state: State, verifier: CodeVerifier, values: [String: String] = [:]
    ) -> String? {
        let provider = Provider(self, values: values, metadata: nil, now: TestTime.now)
        let parameters = authorizationRequestParameters(
            client: client, redirectURI: redirectURI, state: state, verifier: verifier, nonce: nil,
            scopes: defaultScopes(of: nil), values: values)
        return provider.authorization(for: client).map {
            AuthorizationURL($0, fragment: provider.authorizationFragment, parameters: parameters).expose { $0 }
        }
    }
}
