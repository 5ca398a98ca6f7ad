public import Formats
public import Secrets

extension BrokerClient {
    /// Starts a connection, and gives the address at which the person consents. Needs the scope `assets:write`.
    ///
    /// For a source whose grant is at its end too: the person connects again with the same source type and parameters,
    /// and the new credentials replace the old ones.
    public func authorize(
        _ request: ConnectionRequest, for tenant: TenantID
    ) async throws(BrokerError) -> StartedConnection {
        let answer = try await send(.post("assets:authorize", request.body), for: tenant, as: .assetsWrite)
        return try answer.read { StartedConnection($0) }
    }

    /// The outcome of a connection, for those whose page lost the popup. Anonymous: the verifier is the right. Reading
    /// spends nothing.
    ///
    /// - Parameter flow: as `authorize` told it.
    public func flow(
        _ flow: String, verifier: ExchangeVerifier, for tenant: TenantID
    ) async throws(BrokerError) -> ConnectionOutcome {
        var body = RequestBody()
        body.add("flow", flow)
        body.add("exchangeVerifier", verifier)
        let answer = try await send(.post("assets:oauthFlow", body), for: tenant, as: nil)
        return try answer.read { ConnectionOutcome($0) }
    }

    /// The source types that the broker knows, sorted by name. Needs the scope `assets:read`.
    public func sourceTypes(of tenant: TenantID) async throws(BrokerError) -> [BrokerSourceType] {
        let answer = try await send(.get("assets:sourceTypes"), for: tenant, as: .assetsRead)
        return try answer.read { members in
            guard case .array(let items)? = members["items"] else { return nil }
            let read = items.compactMap { BrokerSourceType($0) }
            return read.count == items.count ? read : nil
        }
    }
}
