import Catalog
import Formats
import Secrets
public import Transport

/// A provider as it is for one flow or call now: the catalog's addresses filled, and what its metadata adds.
///
/// A class, since each step of a flow would copy its thirty references.
final class Provider: Sendable {
    let profile: OAuthProfile
    /// The flow's parameters, and what the provider told besides.
    let values: [String: String]
    let metadata: ProviderMetadata?
    /// The cause of the requests to it.
    let cause: Cause
    private let addresses: OAuthProfile.AddressSet

    init(
        _ profile: OAuthProfile, values: [String: String], metadata: ProviderMetadata?, now: Timestamp,
        for cause: Cause = .broker
    ) {
        self.profile = profile
        self.values = values
        self.metadata = metadata
        self.cause = cause
        addresses = profile.addresses.current(values, at: now)
    }

    private init(_ provider: Provider, values: [String: String], cause: Cause) {
        profile = provider.profile
        self.values = values
        metadata = provider.metadata
        self.cause = cause
        addresses = provider.addresses
    }

    func authorization(for client: Client) -> String? {
        addresses.authorization?.filled(with: values.merging(["clientId": client.id]) { $1 })
            ?? metadata?.authorizationEndpoint
    }

    /// The fragment of that address, as the catalog has it.
    var authorizationFragment: String? { addresses.authorization?.fragment }

    /// The name by which the provider knows the broker's redirect address; `nil` where that is the address itself.
    var redirectURI: String? { profile.redirectURI?.filled(with: values) }

    /// The same provider, which told this too.
    func knowing(_ learned: [String: String]) -> Provider {
        learned.isEmpty ? self : Provider(self, values: values.merging(learned) { $1 }, cause: cause)
    }

    var token: String? {
        profile.addresses.filled(addresses.token, with: values)
            ?? endpoint(\.tokenEndpoint, \.tokenEndpoint, by: profile.clientAuthentication)
    }

    /// The reason where no token endpoint is known: a parameter is missing in its address, or the metadata has none that
    /// can be used.
    var withoutTokenEndpoint: Reason {
        "neither the catalog nor the provider's metadata has a token endpoint\(fault(of: "token_endpoint"))"
    }

    /// The same of where people are sent.
    var withoutAuthorizationEndpoint: Reason {
        let fault = fault(of: "authorization_endpoint")
        return "neither the catalog nor the provider's metadata has an authorization endpoint\(fault)"
    }

    private func fault(of member: String) -> Reason {
        metadata?.faults.first { $0.member == member }.map { ": \($0.reason)" } ?? ""
    }

    var refresh: String? { profile.addresses.filled(addresses.refresh, with: values) ?? token }

    /// The same provider for the requests that follow once it was asked for tokens: they must not be refused.
    var begun: Provider { Provider(self, values: values, cause: cause.begun) }

    /// The address of the one more call with the new token.
    var afterConnecting: String? { addresses.afterConnecting?.filled(with: values) }

    func revocation(of token: AccessOrRefreshToken, client: Client) -> String? {
        var values = values
        values["clientId"] = client.id
        token.expose { values["token"] = $0 }
        return profile.addresses.filled(addresses.revocation, with: values)
            ?? endpoint(\.revocationEndpoint, \.revocationEndpoint, by: profile.revocation.authentication)
    }

    var hasRevocation: Bool {
        addresses.revocation != nil
            || endpoint(\.revocationEndpoint, \.revocationEndpoint, by: profile.revocation.authentication) != nil
    }

    var pushedAuthorization: String? {
        if let own = profile.pushedAuthorizationURL { return own.filled(with: values) }
        // RFC 9126 § 5: the provider accepts only pushed requests.
        guard metadata?.requiresPushedAuthorization == true else { return nil }
        return endpoint(
            \.pushedAuthorizationEndpoint, \.pushedAuthorizationEndpoint, by: profile.clientAuthentication)
    }

    /// The metadata's address for a client that authenticates so: the alias for one with a certificate (RFC 8705 § 5).
    private func endpoint(
        _ usual: KeyPath<ProviderMetadata, String?>, _ alias: KeyPath<ProviderMetadata.Aliases, String?>,
        by authentication: OAuthProfile.ClientAuthentication
    ) -> String? {
        guard let metadata else { return nil }
        let alias = authentication == .tls ? metadata.mutualTLS[keyPath: alias] : nil
        return alias ?? metadata[keyPath: usual]
    }

    var issuer: String? { profile.issuer(values) }

    var jwks: String? { profile.jwksURL?.filled(with: values) ?? metadata?.jwksURI }

    /// The audience of a client assertion or a request object: the issuer wherever one is known, else the token
    /// endpoint as the catalog's author wrote it.
    ///
    /// Never an address that metadata or a callback names: a hostile server could name another's, and so get an
    /// assertion that the other accepts (audience injection: draft-ietf-oauth-security-topics-update § 2.1,
    /// draft-ietf-oauth-rfc7523bis).
    var assertionAudience: String? {
        // With a name for each tenant, nobody is called by the placeholder.
        if let issuer, !IssuerName(issuer).hasTenants { return issuer }
        return addresses.token?.filled(with: values)
    }

    /// The cause of fetching its keys: the broker's own where no parameter of a flow is part of their address.
    var keysCause: Cause { jwksIsShared && profile.hasSharedIssuer ? .broker : cause }
    private var jwksIsShared: Bool { profile.jwksURL?.placeholders.isEmpty ?? true }

    /// True if a callback without `iss` is refused, since the provider announces that it sends it (RFC 9207 § 2.4).
    var requiresIssuer: Bool { profile.requireIssuer || metadata?.sendsIssuer == true }
}

extension OAuthProfile {
    /// True if the issuer is one for all tenants: no parameter of a flow is part of it.
    var hasSharedIssuer: Bool { issuer.map { ValueTemplate($0).names.allSatisfy(isTenantPlaceholder) } ?? true }

    /// The issuer's name for a flow; where it has one for each tenant, with that placeholder left (`IssuerName`).
    func issuer(_ values: [String: String]) -> String? {
        guard let issuer else { return nil }
        guard issuer.utf8.contains(UInt8(ascii: "{")) else { return issuer }
        let name = IssuerName.placeholder
        return ValueTemplate(issuer).filled(
            with: isTenantPlaceholder(name) ? values.merging([name: "{\(name)}"]) { $1 } : values)
    }

    private func isTenantPlaceholder(_ name: String) -> Bool {
        name == IssuerName.placeholder && !parameters.contains { $0.name == name }
    }
}

/// A reason for which a provider gave no sound answer.
public enum ProviderError: Error, Equatable, Sendable {
    /// It refused, or answered with something else than it should. `error` is its error code if it named a sane one,
    /// `retryAfter` the seconds after which it may be asked again if it named them; the reason has its words, or the
    /// check that failed.
    case rejected(error: String?, retryAfter: Int?, reason: Reason)
    /// The request did not reach it, also where its address is not allowed, or the connection broke.
    case unreachable(TransportError, at: ProviderEndpoint)
    /// It did not answer within the deadline; it may have done what it was asked for.
    case timedOut(at: ProviderEndpoint)
    /// This broker stops, or has too much to do. The provider was not asked, or its answer was not awaited.
    case closed(TransportError)
    /// The tenant, or all who ask this provider's host, have as many requests under way as they may. It was not asked.
    case rateLimited

    init(_ error: TransportError, at endpoint: ProviderEndpoint) {
        switch error {
        case .timedOut: self = .timedOut(at: endpoint)
        case .nameNotResolved, .connectionRefused, .unreachable, .tlsFailed, .addressNotAllowed, .proxyFailed:
            self = .unreachable(error, at: endpoint)
        case .responseTooLarge, .malformedResponse:
            self = .rejected(reason: "\(endpoint.words): \(error.reason)")
        case .cancelled, .overloaded: self = .closed(error)
        case .rateLimited: self = .rateLimited
        }
    }

    /// A rejection in which the provider named no error code.
    static func rejected(reason: Reason) -> ProviderError { .rejected(error: nil, retryAfter: nil, reason: reason) }
}

/// The endpoint of a provider that is asked.
public enum ProviderEndpoint: String, Sendable {
    /// The protected resource itself, asked for its challenge (RFC 9728 § 5).
    case resource
    /// RFC 9728 § 3.
    case resourceMetadata
    /// The registration endpoint (RFC 7591 § 3).
    case registration
    /// RFC 8414 § 3.
    case metadata
    /// The key set at `jwks_uri` (RFC 8414 § 2).
    case keys
    /// The pushed authorization request endpoint (RFC 9126 § 2).
    case pushedAuthorization
    /// The token endpoint (RFC 6749 § 3.2), also for refreshes.
    case token
    /// The catalog's one more call with the new token.
    case afterConnecting
    /// The revocation endpoint (RFC 7009 § 2).
    case revocation
}

extension ProviderResponse {
    /// `Retry-After` in seconds, also where it is a date (RFC 9110 § 10.2.3); at most a day. A date is of the
    /// provider's clock, which its `Date` tells.
    func retryAfter(at now: Timestamp) -> Int? {
        guard let text = header("retry-after") else { return nil }
        if let seconds = Int(text) { return (0...86_400).contains(seconds) ? seconds : nil }
        guard let moment = HTTPDate.read(text, at: now) else { return nil }
        let sent = header("date").flatMap { HTTPDate.read($0, at: now) } ?? now
        let seconds = (moment.milliseconds - sent.milliseconds + 999) / 1000
        return (1...86_400).contains(seconds) ? Int(seconds) : nil
    }
}
