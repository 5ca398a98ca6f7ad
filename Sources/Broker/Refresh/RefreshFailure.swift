import Formats
import Secrets
import Transport

/// A failure of a refresh that concerns all who wait for it, in whichever broker.
struct RefreshFailure: Sendable {
    let error: RefreshError

    /// `nil`: it concerns this broker alone, and another may have better luck.
    init?(_ error: RefreshError) {
        switch error {
        case .reauthorizationRequired, .provider(.rejected), .provider(.unreachable), .provider(.timedOut):
            self.error = error
        case .request, .store, .provider(.closed), .provider(.rateLimited): return nil
        }
    }

    private enum Kind: String, Codable {
        case reauthorizationRequired, rejected, unreachable, timedOut
    }

    private struct Members: Codable {
        var kind: Kind
        var error: String?
        var retryAfter: Int?
        var transport: String?
        var endpoint: String?
        var reason: String?
    }

    private var members: Members? {
        switch error {
        case .reauthorizationRequired(let reason):
            Members(kind: .reauthorizationRequired, reason: reason.description)
        case .provider(.rejected(let error, let retryAfter, let reason)):
            Members(kind: .rejected, error: error, retryAfter: retryAfter, reason: reason.description)
        case .provider(.unreachable(let error, let endpoint)):
            Members(kind: .unreachable, transport: error.rawValue, endpoint: endpoint.rawValue)
        case .provider(.timedOut(let endpoint)): Members(kind: .timedOut, endpoint: endpoint.rawValue)
        case .request, .store, .provider(.closed), .provider(.rateLimited): nil
        }
    }

    var json: SecretBytes? {
        members.flatMap { try? JSONValue(encoding: $0).encoded() }.map { SecretBytes($0) }
    }

    /// Another broker's, as it sealed it.
    init?(_ json: SecretBytes) {
        guard let value = json.expose({ JSONValue(json: $0) }),
            let members = try? value.decoded(as: Members.self)
        else { return nil }
        let reason = Reason(description: members.reason ?? "")
        let endpoint = members.endpoint.flatMap { ProviderEndpoint(rawValue: $0) } ?? .token
        switch members.kind {
        case .reauthorizationRequired: error = .reauthorizationRequired(reason)
        case .rejected:
            error = .provider(.rejected(error: members.error, retryAfter: members.retryAfter, reason: reason))
        case .unreachable:
            let transport = members.transport.flatMap { TransportError(rawValue: $0) } ?? .unreachable
            error = .provider(.unreachable(transport, at: endpoint))
        case .timedOut: error = .provider(.timedOut(at: endpoint))
        }
    }
}
