import JOSE
import Transport

extension ProviderError {
    /// The words for operators: the endpoint, and the failure. Callers never get them.
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
