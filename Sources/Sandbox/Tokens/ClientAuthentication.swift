import HTTPTypes

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Says which client a token request is from, or refuses it (RFC 6749 § 2.3.1).
struct ClientAuthentication {
    let clients: [String: SandboxProvider.Client]

    func client(_ headers: HTTPFields, _ form: FormFields) throws(OAuthError) -> SandboxProvider.Client {
        let (id, secret) = try credentials(headers, form)
        // A public client has no secret and must send none.
        guard let client = clients[id], client.secret == secret else {
            throw OAuthError(.invalidClient, "the client is unknown or its secret is wrong")
        }
        return client
    }

    private func credentials(_ headers: HTTPFields, _ form: FormFields) throws(OAuthError) -> (String, String?) {
        guard let authorization = headers[.authorization] else {
            guard let id = form["client_id"] else { throw OAuthError(.invalidClient, "no client authentication") }
            return (id, form["client_secret"])
        }
        guard form["client_secret"] == nil else {
            throw OAuthError(.invalidRequest, "use one way of client authentication, not two")
        }
        guard let (id, secret) = Self.basic(authorization) else {
            throw OAuthError(.invalidClient, "the Authorization header is no Basic authentication")
        }
        guard form["client_id"] == nil || form["client_id"] == id else {
            throw OAuthError(.invalidRequest, "client_id is not the one of the Authorization header")
        }
        return (id, secret)
    }

    /// Reads a Basic header, whose name and password are form-encoded *before* they are joined and put into base64.
    private static func basic(_ header: String) -> (id: String, secret: String)? {
        let words = header.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "basic", let bytes = Data(base64Encoded: String(words[1])),
            let colon = bytes.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return (FormFields.decode(bytes[..<colon]), FormFields.decode(bytes[bytes.index(after: colon)...]))
    }
}
