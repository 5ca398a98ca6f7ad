package import Catalog
package import Transport

/// An issuer's metadata, looked at for whoever sets a source type up.
package struct MetadataExamination: Sendable {
    /// The issuer as the entry names it, parameters filled in.
    package let issuer: String
    /// The reason for which nothing in it is used; `nil` where it is.
    package let failure: Reason?
    /// The members that count as absent, since they have the wrong form.
    package let remark: Reason?
}

extension OAuthProfile {
    /// Fetches the metadata that flows would go by; `nil` where there is none for this entry, or where a caller's
    /// parameter names the issuer.
    package func examineMetadata(
        as client: Client, by transport: any HTTPTransport
    ) async -> MetadataExamination? {
        var values: [String: String] = [:]
        for parameter in parameters {
            values[parameter.name] = client.parameters[parameter.name] ?? parameter.defaultValue
        }
        guard discovery, let issuer = issuer(values) else { return nil }
        let directory = ProviderDirectory(
            transport: DirectTransport(transport: transport), allowInsecure: addresses.allowInsecure, now: { .now })
        return await MetadataExamination(of: issuer, in: directory)
    }
}

extension Broker {
    /// Tells what was found in the metadata that a flow of this request goes by; `nil` where there is none, or where
    /// the flow cannot begin for another reason.
    package func examineMetadata(for request: AuthorizeRequest) async -> MetadataExamination? {
        guard let entry = try? await entry(request.sourceType, of: request.tenant), entry.profile.discovery,
            let values = try? values(request.parameters, of: entry), let issuer = entry.profile.issuer(values)
        else { return nil }
        return await MetadataExamination(of: issuer, in: directory)
    }
}

extension MetadataExamination {
    fileprivate init(of issuer: String, in directory: ProviderDirectory) async {
        self.issuer = issuer
        do {
            remark = try await directory.metadata(for: issuer).remark
            failure = nil
        } catch {
            remark = nil
            failure = error.reason(.metadata)
        }
    }
}

/// Sends as it is: nobody else asks.
private struct DirectTransport: ProviderTransport {
    let transport: any HTTPTransport

    func send(_ request: ProviderRequest) async throws(TransportError) -> ProviderResponse {
        try await transport.send(request.http)
    }
}
