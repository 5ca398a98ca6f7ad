import Catalog

extension OAuthProfile.UnverifiedFact {
    /// As operators read it.
    var words: String {
        switch self {
        case .clientAuthentication: "client authentication"
        case .pkce: "PKCE"
        case .scopes: "scopes"
        case .refreshToken: "refresh token"
        case .revocation: "revocation"
        case .tokenRequest: "token request"
        case .tokenResponse: "token response"
        case .regions: "regions"
        case .issuer: "issuer"
        case .callback: "callback"
        }
    }
}

extension OAuthProfile {
    /// Advice for an operator whose client was refused, where the entry's way of authenticating it is a guess; `nil`
    /// where it is none.
    ///
    /// - Parameter isOwn: the entry is in a file of the operator's.
    func adviceOnAuthentication(isOwn: Bool) -> String? {
        guard unverified.contains(.clientAuthentication), let sourceType else { return nil }
        let other: ClientAuthentication = clientAuthentication == .post ? .basic : .post
        let change =
            isOwn
            ? "set it to \(other.rawValue) in the entry, and try again"
            : """
            write the entry into a file of your own (`cloakroom sources show \(sourceType) --yaml`), set it to \(other.rawValue) \
            there, name the file in catalogFiles and try again
            """
        return """
            nobody has confirmed clientAuthentication: \(clientAuthentication.rawValue) of this entry: if the client id and secret are \
            right, \(change)
            """
    }
}
