import Catalog
import Formats

/// An authorization server that the broker can work with, and the way in which it becomes a client there.
struct ServerOffer: Sendable {
    /// The ways of being a client, in the order in which they are tried. The raw values are kept with flows.
    enum Membership: String, Sendable {
        /// A client that the operator or the tenant registered at this very issuer, or for any that has nothing else.
        case own
        /// The address of a document of the broker's own (draft-ietf-oauth-client-id-metadata-document).
        case document
        /// Dynamic registration (RFC 7591).
        case registration
    }

    let metadata: ProviderMetadata
    let membership: Membership
    let authentication: OAuthProfile.ClientAuthentication

    /// Throws the first thing that is missing.
    ///
    /// - Parameter own: the client that the operator or the tenant set.
    init(_ metadata: ProviderMetadata, own: Client?) throws(Unworkable) {
        guard metadata.authorizationEndpoint != nil else { throw .missing("authorization_endpoint") }
        guard metadata.tokenEndpoint != nil else { throw .missing("token_endpoint") }
        // The MCP authorization specification: without it clients must not go on.
        guard metadata.codeChallengeMethods?.contains("S256") == true else { throw .withoutPKCE }
        self.metadata = metadata
        let methods = Methods(metadata.tokenEndpointAuthMethods)
        if let own, let issuer = own.parameters[OAuthProfile.issuerParameter], issuer.isExactly(metadata.issuer) {
            membership = .own
            authentication = try methods.ofOwn(own)
        } else if !metadata.keepsCodes {
            throw .codesElsewhere
        } else if metadata.takesClientDocuments, methods.allowNone {
            membership = .document
            authentication = .none
        } else if metadata.registrationEndpoint != nil, let method = methods.forRegistration {
            membership = .registration
            authentication = method
        } else if let own, own.parameters[OAuthProfile.issuerParameter] == nil, own.owner == nil {
            // Nobody said which server its secret is for.
            guard own.secret == nil else { throw .secretOfNoIssuer }
            membership = .own
            authentication = .none
        } else {
            throw .noWayIn
        }
    }

    /// What keeps the broker from working with a server.
    enum Unworkable: Error, Equatable, Sendable {
        /// A member of its metadata that cannot be done without.
        case missing(StaticString)
        case withoutPKCE
        /// Codes of the server that people are sent to would go to another host, and no `iss` would tell.
        case codesElsewhere
        /// Neither documents nor registration, and no client was set for it.
        case noWayIn
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

extension ServerOffer.Unworkable {
    var reason: Reason {
        switch self {
        case .missing(let member): "its metadata has no usable \"\(trusted: member.description)\""
        case .withoutPKCE:
            "it offers no PKCE with S256 (\"code_challenge_methods_supported\"), which the MCP specification demands"
        case .codesElsewhere:
            "its token endpoint is at another host than its authorization endpoint, and it does not say that it sends iss (RFC 9207): codes of another server could be led to it (clients, parameters.issuer, for one that you trust)"
        case .noWayIn:
            "it takes neither client ID metadata documents nor dynamic registration, and no client is set for it (clients, parameters.issuer)"
        case .secretOfNoIssuer:
            "it takes neither client ID metadata documents nor dynamic registration, and the client that is set has a secret without parameters.issuer, so that it goes to no server"
        case .noAuthentication: "it takes no client secret (\"token_endpoint_auth_methods_supported\")"
        }
    }
}

extension ProviderMetadata {
    /// Tells whether a code can only go to the server that the person was sent to (mix-up, RFC 9700 § 4.4): a hostile one
    /// may name an honest one's authorization endpoint, whose codes would come to the hostile one's redirect address.
    fileprivate var keepsCodes: Bool {
        if sendsIssuer { return true }
        guard let asks = authorizationEndpoint.flatMap({ StrictURL($0) })?.host,
            let takes = tokenEndpoint.flatMap({ StrictURL($0) })?.host
        else { return false }
        return asks.isExactly(takes) || takes.hasSuffix(".\(asks)") || asks.hasSuffix(".\(takes)")
    }
}
