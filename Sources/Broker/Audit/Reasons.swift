package import JOSE
package import Secrets
package import Transport

// The words for operators. No switch has a default, so that a new case asks for its words. They say what was seen;
// Docs/Operate.md says what to do about it.

extension OpenError {
    /// The words for a secret, row or key that did not open.
    ///
    /// - Parameter key: the master key that the sealed bytes name; `nil` where they are malformed.
    package func reason(_ key: KeyRing.KeyID?) -> Reason {
        switch (self, key) {
        case (.unknownKey(let id), _): "the master key \(id) is not in the file"
        case (.notAuthentic, let id?):
            "the master key \(id) does not open it: it has another value, or the row was altered"
        case (.notAuthentic, nil), (.malformed, _): "the row was altered"
        }
    }
}

extension TransportError {
    /// The words behind the name of an endpoint or host.
    package var reason: Reason {
        switch self {
        case .proxyFailed: "the egress proxy (provider.proxy) cannot be reached, or refused to connect"
        case .cancelled: "the broker stops, or nobody waits any more"
        case .rateLimited: "it was not asked: the tenant or the host has its share of requests under way"
        case .timedOut, .nameNotResolved, .connectionRefused, .unreachable, .tlsFailed, .addressNotAllowed,
            .responseTooLarge, .malformedResponse, .overloaded:
            "\(trusted: words)"
        }
    }
}

extension RemoteKeySet.Fault {
    /// The words behind the address of the key set.
    package var reason: Reason {
        switch self {
        case .transport(let error): error.reason
        case .status(let status): "answered \(status)"
        case .malformed: "the answer is no key set (RFC 7517)"
        }
    }
}

extension IDTokenError {
    /// The claim or member that failed, never what stands in it.
    var reason: Reason {
        switch self {
        case .malformed: "it is no signed JWT"
        case .algorithmNotAllowed(let name): "its alg is \(quoted: name), which is not accepted"
        case .typeMismatch: "its typ is another kind of token's"
        case .unknownKey: "none of the provider's keys fits its kid and alg"
        case .ambiguousKey: "several keys fit, and it names none"
        case .signatureWrong: "its signature does not fit"
        case .claimsMalformed: "its claims are no JSON object, or one comes twice"
        case .issuerMismatch: "iss is not the issuer"
        case .issuerDiffersBySlash: "iss differs from the issuer by the trailing slash alone"
        case .tenantMismatch: "iss is not the issuer for its tid, or the key that signed it is another tenant's"
        case .audienceMismatch: "aud does not have the client id"
        case .authorizedPartyMissing: "aud has several values, and azp is missing"
        case .authorizedPartyMismatch: "azp is another client"
        case .expiryMissing: "exp is missing or no number"
        case .expired: "it has expired"
        case .issueTimeMissing: "iat is missing or no number"
        case .issuedInFuture: "iat is still to come"
        case .notYetValid: "nbf is still to come"
        case .nonceMismatch: "nonce is missing or another flow's"
        case .subjectMalformed: "sub is missing or malformed"
        case .accessTokenMismatch: "at_hash is another access token's"
        case .codeMismatch: "c_hash is another code's"
        }
    }
}
