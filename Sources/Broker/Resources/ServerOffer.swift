import Catalog
import Formats

/// The ways of being a client of an authorization server that was found, as the MCP authorization specification names
/// them. The raw values are kept with flows and registrations.
enum ClientApproach: String, Sendable {
    /// A client that the operator or the tenant registered at this very issuer, or for any that has nothing else.
    case preregistered
    /// The address of a document of the broker's own (draft-ietf-oauth-client-id-metadata-document).
    case metadataDocument
    /// RFC 7591.
    case dynamicRegistration
}

/// An authorization server that the broker can work with, and the way in which it becomes a client there.
struct ServerOffer: Sendable {
    /// The approaches in the order in which they are tried, with what each needs.
    enum Approach: Sendable, Equatable {
        case preregistered(OAuthProfile.ClientAuthentication)
        case metadataDocument
        case dynamicRegistration(endpoint: String, OAuthProfile.ClientAuthentication)
    }

    let metadata: ProviderMetadata
    let approach: Approach

    /// Throws the first thing that is missing.
    ///
    /// - Parameters:
    ///   - own: the client that the operator or the tenant set.
    ///   - documents: the broker's client ID metadata documents may be used.
    init(_ metadata: ProviderMetadata, own: Client?, documents: Bool) throws(Unworkable) {
        guard metadata.authorizationEndpoint != nil else { throw .missing("authorization_endpoint") }
        guard metadata.tokenEndpoint != nil else { throw .missing("token_endpoint") }
        // The MCP authorization specification: without it clients must not go on.
        guard metadata.codeChallengeMethods?.contains("S256") == true else { throw .withoutPKCE }
        self.metadata = metadata
        let methods = Methods(metadata.tokenEndpointAuthMethods)
        if let own, own.isRegistered(at: metadata.issuer) {
            approach = .preregistered(try methods.ofOwn(own))
        } else if !metadata.excludesMixUp {
            throw .codesElsewhere
        } else if documents, metadata.takesClientDocuments, methods.allowNone {
            approach = .metadataDocument
        } else if let endpoint = metadata.registrationEndpoint, let method = methods.forRegistration {
            approach = .dynamicRegistration(endpoint: endpoint, method)
        } else if let own, own.parameters[OAuthProfile.issuerParameter] == nil, own.owner == nil {
            // Nobody said which server its secret is for.
            guard own.secret == nil else { throw .secretOfNoIssuer }
            // Nothing is kept of such a server that could hold it to the place of its first token endpoint.
            guard metadata.issuesOwnTokens else { throw .tokensElsewhere }
            approach = .preregistered(.none)
        } else if metadata.takesClientDocuments, methods.allowNone {
            throw .withoutDocuments
        } else {
            throw .withoutApproach
        }
    }

    /// What keeps the broker from working with a server.
    enum Unworkable: Error, Equatable, Sendable {
        /// A member of its metadata that cannot be done without.
        case missing(StaticString)
        case withoutPKCE
        /// Codes of the server that people are sent to would go to another host, and no `iss` would tell.
        case codesElsewhere
        /// Its tokens may be another server's, and no `iss` would tell.
        case tokensElsewhere
        /// Neither documents nor registration, and no client was set for it.
        case withoutApproach
        /// It takes documents, and the broker has none.
        case withoutDocuments
        case secretOfNoIssuer
        /// It authenticates clients in none of the ways that the client can.
        case noAuthentication

        static func == (left: Self, right: Self) -> Bool { left.reason == right.reason }
    }

    /// The client authentication that a server takes (RFC 8414 § 2).
    private struct Methods {
        private let stated: [String]?

        init(_ stated: [String]?) { self.stated = stated }

        var allowNone: Bool { stated.map { $0.contains("none") } ?? true }

        /// The form first: what servers make of the percent signs in a Basic header differs. Without a word on it, a
        /// server takes Basic (RFC 8414 § 2).
        var withSecret: OAuthProfile.ClientAuthentication? {
            guard let stated else { return .basic }
            return stated.contains("client_secret_post") ? .post : stated.contains("client_secret_basic") ? .basic : nil
        }

        var forRegistration: OAuthProfile.ClientAuthentication? {
            withSecret ?? (allowNone ? OAuthProfile.ClientAuthentication.none : nil)
        }

        func ofOwn(_ client: Client) throws(Unworkable) -> OAuthProfile.ClientAuthentication {
            guard client.secret != nil else { return .none }
            guard let method = withSecret else { throw .noAuthentication }
            return method
        }
    }
}

extension Client {
    /// Tells whether it was set for this very authorization server.
    func isRegistered(at issuer: String) -> Bool {
        parameters[OAuthProfile.issuerParameter]?.isSameIssuer(as: issuer) == true
    }
}

extension ServerOffer.Unworkable {
    var reason: Reason {
        switch self {
        case .missing(let member): "its metadata has no usable \"\(trusted: member.description)\""
        case .withoutPKCE:
            "it offers no PKCE with S256 (\"code_challenge_methods_supported\"), which the MCP specification demands"
        case .codesElsewhere:
            "its token endpoint is at another host than its authorization endpoint, and it does not say that it sends iss (RFC 9207): codes of another server could be led to it (clients, parameters.issuer, for one that you trust)"
        case .tokensElsewhere:
            "its token endpoint is at another host than its issuer, and it does not say that it sends iss (RFC 9207): its tokens may be another server's (clients, parameters.issuer, for one that you trust)"
        case .withoutApproach:
            "it takes neither client ID metadata documents nor dynamic registration, and no client is set for it (clients, parameters.issuer)"
        case .withoutDocuments:
            "it takes client ID metadata documents and no dynamic registration, and the broker uses no documents: they need an https address in http.publicURL, and mcp.clientDocuments"
        case .secretOfNoIssuer:
            "it takes neither client ID metadata documents nor dynamic registration, and the client that is set has a secret without parameters.issuer, so that it goes to no server"
        case .noAuthentication: "it takes no client secret (\"token_endpoint_auth_methods_supported\")"
        }
    }
}
