import Catalog
import Formats

/// An authorization server that a flow was begun at, as the flow keeps it among its values: the callback asks nobody for
/// metadata again, so no change of it can lead the code elsewhere.
struct ConnectedServer: Sendable {
    /// The address of the resource as the caller gave it.
    let url: String
    let server: OAuthProfile.FoundServer
    let membership: ServerOffer.Membership

    var issuer: String { server.issuer }

    private enum Name: String {
        case resource, tokenEndpoint, revocationEndpoint, clientAuthentication, membership, requiresIssuer
    }

    /// The names that `values` adds; none of them is a caller's to give.
    func values(of profile: OAuthProfile) -> [String: String] {
        var values = [
            OAuthProfile.issuerParameter: server.issuer, Name.resource.rawValue: server.resource,
            Name.tokenEndpoint.rawValue: server.token,
            Name.clientAuthentication.rawValue: server.clientAuthentication.rawValue,
            Name.membership.rawValue: membership.rawValue,
        ]
        if let name = profile.resourceParameter { values[name] = url }
        if let revocation = server.revocation { values[Name.revocationEndpoint.rawValue] = revocation }
        if server.requiresIssuer { values[Name.requiresIssuer.rawValue] = "true" }
        return values
    }

    init(url: String, offer: ServerOffer, resource: String) {
        let metadata = offer.metadata
        self.url = url
        server = OAuthProfile.FoundServer(
            issuer: metadata.issuer, requiresIssuer: metadata.sendsIssuer, resource: resource,
            authorization: metadata.authorizationEndpoint, token: metadata.tokenEndpoint ?? "",
            revocation: metadata.revocationEndpoint,
            pushedAuthorization: metadata.requiresPushedAuthorization ? metadata.pushedAuthorizationEndpoint : nil,
            clientAuthentication: offer.authentication)
        membership = offer.membership
    }

    private init(url: String, server: OAuthProfile.FoundServer, membership: ServerOffer.Membership) {
        self.url = url
        self.server = server
        self.membership = membership
    }

    /// The same, for a client that was registered with an authentication of the server's choice.
    func authenticating(by method: OAuthProfile.ClientAuthentication) -> ConnectedServer {
        ConnectedServer(
            url: url,
            server: OAuthProfile.FoundServer(
                issuer: server.issuer, requiresIssuer: server.requiresIssuer, resource: server.resource,
                authorization: server.authorization, token: server.token, revocation: server.revocation,
                pushedAuthorization: server.pushedAuthorization, clientAuthentication: method),
            membership: membership)
    }

    /// Reads the values of a flow; `nil` where the entry was another kind when it began.
    init?(_ values: [String: String], of profile: OAuthProfile) {
        guard let name = profile.resourceParameter, let url = values[name],
            let issuer = values[OAuthProfile.issuerParameter], let resource = values[Name.resource.rawValue],
            let token = values[Name.tokenEndpoint.rawValue],
            let authentication = values[Name.clientAuthentication.rawValue].flatMap({
                OAuthProfile.ClientAuthentication(rawValue: $0)
            }), let membership = values[Name.membership.rawValue].flatMap({ ServerOffer.Membership(rawValue: $0) })
        else { return nil }
        self.url = url
        server = OAuthProfile.FoundServer(
            issuer: issuer, requiresIssuer: values[Name.requiresIssuer.rawValue] != nil, resource: resource,
            authorization: nil, token: token, revocation: values[Name.revocationEndpoint.rawValue],
            pushedAuthorization: nil, clientAuthentication: authentication)
        self.membership = membership
    }
}
