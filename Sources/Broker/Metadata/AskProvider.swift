import Catalog
import Transport

extension Broker {
    /// A provider with its addresses filled; its metadata is fetched where the catalog says so (RFC 8414 § 3).
    func provider(
        _ profile: OAuthProfile, _ values: [String: String], for cause: Cause
    ) async throws(ProviderError) -> Provider {
        var metadata: ProviderMetadata?
        if profile.discovery, let issuer = profile.issuer(values) {
            do {
                let cause = profile.hasSharedIssuer ? .broker : cause
                metadata = try await directory.metadata(for: issuer, cause: cause)
            } catch {
                throw ProviderError(error, at: .metadata)
            }
        }
        return Provider(profile, values: values, metadata: metadata, now: now(), for: cause)
    }

    /// Sends one request; failures of the transport become the provider's.
    func send(
        _ http: TransportRequest, to provider: Provider, at endpoint: ProviderEndpoint
    ) async throws(ProviderError) -> ProviderResponse {
        var request = ProviderRequest(http, cause: provider.cause)
        request.sourceType = provider.profile.sourceType
        do {
            return try await transport.send(request)
        } catch {
            throw ProviderError(error, at: endpoint)
        }
    }
}

extension ProviderError {
    /// - Parameter endpoint: `metadata` or `keys`.
    init(_ error: ProviderDirectoryError, at endpoint: ProviderEndpoint) {
        switch error {
        case .transport(let error): self = ProviderError(error, at: endpoint)
        case .addressNotAllowed: self = .unreachable(.addressNotAllowed, at: endpoint)
        case .status, .metadata, .keySetMalformed: self = .rejected(reason: error.reason(endpoint))
        }
    }
}
