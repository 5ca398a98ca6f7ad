import Catalog
import Formats

/// An authorization server that a flow was begun at, as the flow keeps it among its values: the callback asks nobody for
/// metadata again, so no change of it can lead the code elsewhere.
struct ConnectedServer: Sendable {
    /// The address of the resource as the caller gave it.
    let url: String
    let server: OAuthProfile.FoundServer
    let approach: ClientApproach
    /// The client that the flow began as.
    let clientID: String

    var issuer: String { server.issuer }

    /// The names beside the issuer's and the parameter's. No parameter has a colon in its name.
    private enum Name: String {
        case resource = "found:resource"
        case tokenEndpoint = "found:tokenEndpoint"
        case revocationEndpoint = "found:revocationEndpoint"
        case clientAuthentication = "found:clientAuthentication"
        case requiresIssuer = "found:requiresIssuer"
        case approach = "found:approach"
        case clientID = "found:clientId"
    }

    /// The names that `values` adds; none of them is a caller's to give.
    func values(of profile: OAuthProfile) -> [String: String] {
        var values = [
            OAuthProfile.issuerParameter: server.issuer, Name.resource.rawValue: server.resource,
            Name.tokenEndpoint.rawValue: server.token,
            Name.clientAuthentication.rawValue: server.clientAuthentication.rawValue,
            Name.approach.rawValue: approach.rawValue, Name.clientID.rawValue: clientID,
        ]
        if let name = profile.resourceParameter { values[name] = url }
        if let revocation = server.revocation { values[Name.revocationEndpoint.rawValue] = revocation }
        if server.requiresIssuer { values[Name.requiresIssuer.rawValue] = "true" }
        return values
    }

    /// `nil` where the metadata has no token endpoint.
    init?(url: String, resource: String, _ metadata: ProviderMetadata, as client: ResourceClient) {
        guard let token = metadata.tokenEndpoint else { return nil }
        self.url = url
        server = OAuthProfile.FoundServer(
            issuer: metadata.issuer, requiresIssuer: metadata.sendsIssuer, resource: resource,
            authorization: metadata.authorizationEndpoint, token: token,
            revocation: metadata.revocationEndpoint(boundTo: client.tokenOrigin),
            pushedAuthorization: metadata.requiresPushedAuthorization ? metadata.pushedAuthorizationEndpoint : nil,
            clientAuthentication: client.authentication)
        approach = client.approach
        clientID = client.client.id
    }

    /// Reads the values of a flow; `nil` where the entry was another kind when it began.
    init?(_ values: [String: String], of profile: OAuthProfile) {
        let value = { (name: Name) in values[name.rawValue] }
        guard let name = profile.resourceParameter, let url = values[name],
            let issuer = values[OAuthProfile.issuerParameter], let resource = value(.resource),
            let token = value(.tokenEndpoint), let clientID = value(.clientID),
            let authentication = value(.clientAuthentication).flatMap({
                OAuthProfile.ClientAuthentication(rawValue: $0)
            }), let approach = value(.approach).flatMap({ ClientApproach(rawValue: $0) })
        else { return nil }
        self.url = url
        server = OAuthProfile.FoundServer(
            issuer: issuer, requiresIssuer: value(.requiresIssuer) != nil, resource: resource,
            authorization: nil, token: token, revocation: value(.revocationEndpoint),
            pushedAuthorization: nil, clientAuthentication: authentication)
        self.approach = approach
        self.clientID = clientID
    }
}
