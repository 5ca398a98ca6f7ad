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
        case .resource: "the server"
        case .resourceMetadata: "the server's protected resource metadata"
        case .registration: "the registration endpoint"
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
        case .tooLarge: return "the document is too long"
        case .notAnObject: return "the document is no JSON object"
        case .issuerMismatch: return "the document is another issuer's (RFC 8414 § 3.3)"
        case .issuerDiffersBySlash(let expected):
            // The expected one, since it is mended where that stands: in the entry, or in what the resource publishes.
            let rule: Reason =
                "must be the same byte for byte (RFC 8414 § 3.3): whoever names it has to write it as the document does"
            return "its issuer differs from \(quoted: expected) by the trailing slash alone, and \(rule)"
        }
    }
}

extension MetadataFault {
    var reason: Reason {
        switch kind {
        case .malformed: "\"\(trusted: member)\" is malformed"
        case .noAddress: "\"\(trusted: member)\" is no https address"
        }
    }
}

extension ProviderMetadata {
    /// All that counts as absent, on one line; `nil` where the document is in order.
    var remark: Reason? {
        guard let first = faults.first else { return nil }
        let all = faults.dropFirst().reduce(first.reason) { "\($0), \($1.reason)" }
        return "\(all): \(faults.count == 1 ? "it counts" : "they count") as absent"
    }
}
