import Formats

// The places that codes and tokens of an authorization server that was found may be sent to. Whoever runs it writes its
// metadata, and may write another's endpoints into it, or change them.

extension ProviderMetadata {
    /// Tells whether a code can only go to the server that the person was sent to (mix-up, RFC 9700 § 4.4): a hostile one
    /// may name an honest one's authorization endpoint, whose codes would come to the hostile one's redirect address.
    var excludesMixUp: Bool {
        if sendsIssuer { return true }
        guard let asks = authorizationEndpoint.flatMap({ StrictURL($0) })?.host,
            let takes = tokenEndpoint.flatMap({ StrictURL($0) })?.host
        else { return false }
        return takes.isHost(orBelow: asks) || asks.isHost(orBelow: takes)
    }

    /// Tells whether the tokens that come of this issuer's flows can only be its own.
    ///
    /// A hostile issuer may name an honest server's endpoints, and answer the broker's registration with a client that it
    /// registered there itself. People consent there, and what comes is the honest server's. Not where the callback has
    /// to name this issuer (RFC 9207), nor where the token endpoint is at the issuer's own host or below it.
    var issuesOwnTokens: Bool {
        if sendsIssuer { return true }
        guard let issuer = StrictURL(issuer), let token = tokenEndpoint.flatMap({ StrictURL($0) }) else { return false }
        return token.origin == issuer.origin || token.host.hasSuffix(".\(issuer.host)")
    }

    var tokenOrigin: Origin? { tokenEndpoint.flatMap { StrictURL($0) }?.origin }

    /// The origin that the tokens of a flow that begins now are bound to: no request with one of them may ever go to
    /// another, whatever the issuer names then. `nil`: they are its own, and it may move.
    var boundTokenOrigin: Origin? { issuesOwnTokens ? nil : tokenOrigin }

    /// Tells whether tokens that are bound to an origin may be sent to the token endpoint.
    func takesTokens(boundTo origin: Origin?) -> Bool { origin == nil || tokenOrigin == origin }

    /// The revocation endpoint for tokens that are bound to an origin; `nil` where it is not at that origin's host, nor
    /// below it.
    func revocationEndpoint(boundTo origin: Origin?) -> String? {
        guard let origin, let bound = StrictURL(origin.description) else { return revocationEndpoint }
        return revocationEndpoint.flatMap { address in
            StrictURL(address).flatMap {
                $0.origin == origin || $0.host.hasSuffix(".\(bound.host)") ? address : nil
            }
        }
    }
}

extension String {
    fileprivate func isHost(orBelow other: String) -> Bool { isExactly(other) || hasSuffix(".\(other)") }

    /// Tells whether two issuers are one: the same bytes or, at the root, the same but for the slash, which is the same
    /// URL (RFC 3986 § 6.2.3).
    func isSameIssuer(as other: String) -> Bool { isExactly(other) || isSameRoot(as: other) }

    /// Tells whether two issuers without a path differ by the slash alone.
    func isSameRoot(as other: String) -> Bool {
        guard differsBySlash(from: other), let url = StrictURL(self) else { return false }
        return url.rest.isEmpty || url.rest.isExactly("/")
    }
}
