package import JOSE
package import Secrets
package import Transport

// The words for operators. Each switch is whole, so that a new case asks for its words. They say what was seen; what to
// do about it is Docs/Operate.md's.

extension StoreError {
    package var reason: Reason {
        switch self {
        case .unavailable(let reason): "the database: \(trusted: reason)"
        case .closed: "the broker stops"
        }
    }
}

extension OpenError {
    /// - Parameter key: the master key that the sealed bytes name.
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
    package var reason: Reason {
        switch self {
        case .timedOut: "no answer came in time"
        case .nameNotResolved: "its name does not resolve (DNS)"
        case .connectionRefused: "the connection was refused, or there is no way to it"
        case .unreachable: "the connection broke before an answer came"
        case .tlsFailed:
            "TLS failed: no common version, or a certificate that is not trusted, expired or another host's"
        case .addressNotAllowed: "its address is not allowed: private or reserved, not https, or malformed"
        case .responseTooLarge: "its answer was longer than it may be"
        case .malformedResponse: "its answer was not HTTP"
        case .cancelled: "the broker stops, or nobody waits any more"
        case .overloaded: "too many requests wait to be sent"
        case .rateLimited: "it was not asked: the tenant or the host has its share of requests under way"
        }
    }
}

extension ProviderError {
    package var reason: Reason {
        switch self {
        case .rejected(_, _, let reason): reason
        case .unreachable(let error, let endpoint): "\(endpoint.words): \(error.reason)"
        case .timedOut(let endpoint): "\(endpoint.words): \(TransportError.timedOut.reason)"
        case .closed(let error): error.reason
        case .rateLimited: TransportError.rateLimited.reason
        }
    }
}

extension ProviderEndpoint {
    var words: Reason {
        switch self {
        case .metadata: "the provider's metadata"
        case .keys: "the provider's keys"
        case .pushedAuthorization: "the pushed authorization request"
        case .token: "the token endpoint"
        case .afterConnecting: "the call after connecting"
        case .revocation: "the revocation endpoint"
        }
    }
}

extension ProviderDirectoryError {
    func reason(_ endpoint: ProviderEndpoint) -> Reason {
        switch self {
        case .addressNotAllowed: "\(endpoint.words): the address is not https, or malformed"
        case .transport(let error): "\(endpoint.words): \(error.reason)"
        case .status(let status): "\(endpoint.words): answered \(status)"
        case .metadata(let error): "\(endpoint.words): \(error.reason)"
        case .keySetMalformed: "\(endpoint.words): \(RemoteKeySet.Fault.malformed.reason)"
        }
    }
}

extension RemoteKeySet.Fault {
    package var reason: Reason {
        switch self {
        case .transport(let error): error.reason
        case .status(let status): "answered \(status)"
        case .malformed: "the answer is no key set (RFC 7517)"
        }
    }
}

extension MetadataError {
    var reason: Reason {
        switch self {
        case .tooLarge: "the document is too long"
        case .notAnObject: "the document is no JSON object"
        case .issuerMismatch: "the document is another issuer's (RFC 8414 § 3.3)"
        case .malformed(let member): "\"\(trusted: member)\" is malformed"
        case .addressNotAllowed(let member): "\"\(trusted: member)\" is no https address"
        }
    }
}

extension IDTokenError {
    /// The claim or member that failed, never what stands in it.
    var reason: Reason {
        switch self {
        case .malformed: "it is no signed JWT"
        case .algorithmNotAllowed: "its alg is not among those allowed (idTokenAlgorithms)"
        case .typeMismatch: "its typ is another kind of token's"
        case .unknownKey: "none of the provider's keys fits its kid and alg"
        case .ambiguousKey: "several keys fit, and it names none"
        case .signatureWrong: "its signature does not fit"
        case .claimsMalformed: "its claims are no JSON object, or one comes twice"
        case .issuerMismatch: "iss is not the issuer"
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
