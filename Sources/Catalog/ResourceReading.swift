import Formats
import StrictYAML

// Entries whose authorization server is found from the server that is to be connected (RFC 9728), as those of the Model
// Context Protocol are: everything else about it comes from what both publish.

extension OAuthProfile {
    /// The parameter of an operator's own client: the authorization server that it is registered at. Callers give it
    /// outside of flows, to name the server that their tokens came from.
    public static let issuerParameter = "issuer"

    /// Visible ASCII without `"`, and without the fragment that neither an issuer (RFC 8414 § 2) nor a resource
    /// (RFC 9728 § 1.2) has. Whether it is an address is looked at where it is used.
    static let addressPattern = "^https?://[!$-~]+$"

    /// The keys that such an entry may have. A closed list, so that `found` loses nothing.
    private static let resourceKeys: Set = [
        "resourceParameter", "parameters", "alwaysScopes", "scopeAliases", "pkce", "refreshToken",
        "reauthorizationErrors", "cutsOpener",
    ]

    func readResource(_ entry: YAMLReader) {
        guard let name = entry.string("resourceParameter") else { return }
        resourceParameter = name
        for key in entry.names where !Self.resourceKeys.contains(key) {
            entry.problem(
                key, found: "both this and resourceParameter",
                wanted: "one of the two: what the server publishes tells it")
        }
        guard parameters.count == 1, let parameter = parameters.first, parameter.name == name, parameter.required,
            parameter.defaultValue == nil, !parameter.setByOperator, name != Self.issuerParameter
        else {
            entry.problem(
                "resourceParameter", found: name.quoted, wanted: "the entry's one parameter, which callers must give")
            return
        }
        if proofKey != .s256 {
            entry.problem("pkce", found: proofKey.rawValue, wanted: "S256: servers that are found must have it")
        }
        clientAuthentication = .none
        revocation.authentication = .none
        // Sound whatever it is: without the parameter an operator's client would go to no server, and nobody would know.
        guard let pattern = entry.pattern(Self.addressPattern) else { return }
        parameters.append(
            Parameter(
                name: Self.issuerParameter,
                description: "The authorization server that your own client is registered at.",
                pattern: pattern, required: false, defaultValue: nil, setByOperator: true))
        parameters.sort { $0.name < $1.name }
    }

    /// An authorization server that was found, and the broker's way of being its client.
    package struct FoundServer: Sendable {
        /// The issuer, as the resource names it.
        package let issuer: String
        /// A callback without `iss` is refused (RFC 9207 § 2.4).
        package let requiresIssuer: Bool
        /// The identifier of the resource (RFC 9728 § 1.2), as it names itself.
        package let resource: String
        /// The addresses from its metadata; `nil` for those that are not needed any more.
        package let authorization: String?
        package let token: String
        package let revocation: String?
        package let pushedAuthorization: String?
        package let clientAuthentication: ClientAuthentication

        package init(
            issuer: String, requiresIssuer: Bool, resource: String, authorization: String?, token: String,
            revocation: String?, pushedAuthorization: String?, clientAuthentication: ClientAuthentication
        ) {
            self.issuer = issuer
            self.requiresIssuer = requiresIssuer
            self.resource = resource
            self.authorization = authorization
            self.token = token
            self.revocation = revocation
            self.pushedAuthorization = pushedAuthorization
            self.clientAuthentication = clientAuthentication
        }
    }

    /// This entry with the addresses of a server that was found, as if the catalog had named them; `nil` where one of
    /// them is none.
    package func found(_ server: FoundServer) -> OAuthProfile? {
        let template = { (text: String?) -> URLTemplate? in text.flatMap { try? URLTemplate($0) } }
        let profile = OAuthProfile()
        profile.sourceType = sourceType
        profile.resourceParameter = resourceParameter
        profile.parameters = parameters
        profile.alwaysScopes = alwaysScopes
        profile.scopeAliases = scopeAliases
        profile.refreshToken = refreshToken
        profile.reauthorizationErrors = reauthorizationErrors
        profile.cutsOpener = cutsOpener
        profile.issuer = server.issuer
        profile.requireIssuer = server.requiresIssuer
        profile.resources = [server.resource]
        profile.clientAuthentication = server.clientAuthentication
        profile.revocation.authentication = server.clientAuthentication
        profile.extras.known = [("issuer", server.issuer), ("resource", server.resource)]
        profile.addresses.allowInsecure = addresses.allowInsecure
        profile.addresses.own = AddressSet(
            authorization: template(server.authorization), token: template(server.token),
            revocation: template(server.revocation))
        profile.pushedAuthorizationURL = template(server.pushedAuthorization)
        guard profile.addresses.own.token != nil else { return nil }
        return profile
    }
}
