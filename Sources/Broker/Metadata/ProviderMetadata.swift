import Formats

/// The metadata that a provider publishes (RFC 8414 § 2, OpenID Connect Discovery 1.0 § 3).
struct ProviderMetadata: Sendable, Equatable {
    let issuer: String
    let authorizationEndpoint: String?
    let tokenEndpoint: String?
    let revocationEndpoint: String?
    let jwksURI: String?
    /// RFC 9126 § 5.
    let pushedAuthorizationEndpoint: String?
    let requiresPushedAuthorization: Bool
    /// True if its callbacks have `iss` (RFC 9207 § 3).
    let sendsIssuer: Bool
    /// `nil` where it does not say, which by RFC 8414 § 2 means that it has no PKCE.
    let codeChallengeMethods: [String]?
    let idTokenAlgorithms: [String]?
    let tokenEndpointAuthMethods: [String]?
    /// RFC 7591 § 3; `nil` where no client can register itself.
    let registrationEndpoint: String?
    /// True if the address of a document may be a `client_id` (draft-ietf-oauth-client-id-metadata-document § 5).
    let takesClientDocuments: Bool
    /// `nil` where it does not say.
    let scopes: [String]?
    /// The endpoints for clients with a certificate (RFC 8705 § 5).
    let mutualTLS: Aliases
    /// Members that count as absent, since they have the wrong form.
    let faults: [MetadataFault]

    /// Endpoints that ask for a certificate, in place of the usual ones.
    struct Aliases: Sendable, Equatable {
        let tokenEndpoint: String?
        let revocationEndpoint: String?
        let pushedAuthorizationEndpoint: String?
    }

    /// The longest document in bytes: several times the length of the longest known.
    static let sizeLimit = 256 * 1024

    /// Reads a metadata document as strictly as if the provider were hostile: it decides who is sent codes and secrets.
    /// A member of the wrong form is not repaired: it counts as absent.
    ///
    /// - Parameters:
    ///   - issuer: the issuer whose document was asked for.
    ///   - takingRootSlash: where the issuer has no path, the document's may differ by the slash, which is the same URL
    ///     (RFC 3986 § 6.2.3). The document's counts.
    ///   - allowInsecure: permits http addresses, for trials.
    init(
        json: [UInt8], issuer: String, takingRootSlash: Bool = false, allowInsecure: Bool = false
    ) throws(MetadataError) {
        guard json.count <= Self.sizeLimit else { throw .tooLarge }
        guard let members = try? StrictJSON.object(json, by: .metadata) else { throw .notAnObject }
        let document = MetadataDocument(members: members, allowInsecure: allowInsecure)
        // RFC 8414 § 3.3: identical, or nothing in it may be used. Else one provider could speak for another.
        let stated = document.text("issuer")
        guard let stated, stated.isExactly(issuer) || (takingRootSlash && stated.isSameRoot(as: issuer)) else {
            let isSlip = stated?.differsBySlash(from: issuer) == true
            throw isSlip ? MetadataError.issuerDiffersBySlash(expected: issuer) : .issuerMismatch
        }
        self.issuer = stated
        authorizationEndpoint = document.address("authorization_endpoint")
        tokenEndpoint = document.address("token_endpoint")
        revocationEndpoint = document.address("revocation_endpoint")
        jwksURI = document.address("jwks_uri")
        pushedAuthorizationEndpoint = document.address("pushed_authorization_request_endpoint")
        requiresPushedAuthorization = document.flag("require_pushed_authorization_requests")
        sendsIssuer = document.flag("authorization_response_iss_parameter_supported")
        codeChallengeMethods = document.texts("code_challenge_methods_supported")
        idTokenAlgorithms = document.texts("id_token_signing_alg_values_supported")
        tokenEndpointAuthMethods = document.texts("token_endpoint_auth_methods_supported")
        // Of these, what is malformed is nobody's concern who does not need them.
        let optional = MetadataDocument(members: members, allowInsecure: allowInsecure)
        registrationEndpoint = optional.address("registration_endpoint")
        takesClientDocuments = optional.flag("client_id_metadata_document_supported")
        scopes = optional.texts("scopes_supported")
        let aliases = document.document("mtls_endpoint_aliases")
        mutualTLS = Aliases(
            tokenEndpoint: aliases.address("token_endpoint"),
            revocationEndpoint: aliases.address("revocation_endpoint"),
            pushedAuthorizationEndpoint: aliases.address("pushed_authorization_request_endpoint"))
        faults = document.faults + aliases.faults
    }

    /// Tells whether an address that flows go by was there and could not be used.
    var hasFaultyEndpoint: Bool {
        faults.contains { ["authorization_endpoint", "token_endpoint"].contains($0.member) }
    }

    /// The places where the document of an issuer may be, the better one first; none where `issuer` cannot be one.
    static func addresses(_ issuer: String) -> [String] {
        // RFC 8414 § 2: no query and no fragment.
        guard let url = StrictURL(issuer), !url.rest.contains("?"), !url.hasDotSegments else { return [] }
        let path = url.rest.hasSuffix("/") ? String(url.rest.dropLast()) : url.rest
        let usual = [
            // RFC 8414 § 3.1: between host and path.
            "\(url.origin)/.well-known/oauth-authorization-server\(path)",
            // OpenID Connect Discovery § 4: behind the path.
            "\(url.origin)\(path)/.well-known/openid-configuration",
        ]
        // RFC 8414 § 5: between host and path again.
        return path.isEmpty ? usual : usual + ["\(url.origin)/.well-known/openid-configuration\(path)"]
    }
}

/// A reason for which a metadata document is not used. Members are named by us, never by the document.
enum MetadataError: Error, Equatable, Sendable {
    case tooLarge
    /// No JSON object, or one with a member twice or absurdly many.
    case notAnObject
    /// RFC 8414 § 3.3: it is another issuer's.
    case issuerMismatch
    /// The same by a slash at the end.
    case issuerDiffersBySlash(expected: String)
}
