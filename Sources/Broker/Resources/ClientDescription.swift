import Catalog
import Formats

/// What the broker says of itself as a client (RFC 7591 § 2): in its client ID metadata document, and where it registers.
struct ClientDescription: Sendable {
    let redirectURIs: [String]
    /// The address of the broker.
    let publicURL: StrictURL

    var members: [String: JSONValue] {
        [
            // People read it when they consent: the broker's host tells whose it is.
            "client_name": .string("Cloakroom at \(publicURL.authority)"), "client_uri": .string(publicURL.text),
            "redirect_uris": .array(redirectURIs.map(JSONValue.string)),
            "grant_types": .array([.string("authorization_code"), .string("refresh_token")]),
            "response_types": .array([.string("code")]),
            // OpenID Connect Registration § 2: a web client's redirect addresses are https.
            "application_type": .string(publicURL.text.hasPrefix("https://") ? "web" : "native"),
        ]
    }
}

extension Broker {
    /// The client ID metadata document of a handle (draft-ietf-oauth-client-id-metadata-document § 4), as JSON; `nil`
    /// where the text is no handle, or nothing in the catalog needs such documents.
    ///
    /// Made from the handle alone: no document tells whether anybody uses it, and none costs the store a look.
    public func clientMetadataDocument(_ handle: String) -> [UInt8]? {
        guard let handle = RedirectHandle(received: handle) else { return nil }
        let names = catalog.entries.filter(\.isFound).map(\.id)
        guard !names.isEmpty else { return nil }
        let description = ClientDescription(
            redirectURIs: names.map { redirects.url(RedirectPath(name: $0.description, handle: handle)) },
            publicURL: settings.publicURL)
        var members = description.members
        members["client_id"] = .string(clientDocumentURL(handle))
        members["token_endpoint_auth_method"] = .string("none")
        return try? JSONValue.object(members).encoded()
    }

    /// The address of a handle's document, which is the `client_id` of a client that is known by it.
    func clientDocumentURL(_ handle: RedirectHandle) -> String {
        "\(settings.publicURL.text)/oauth/client/\(handle).json"
    }
}
