public import Catalog
public import Formats
public import Secrets

/// A tenant's own OAuth app, as an operator sets it.
public struct ClientSetting: Sendable {
    /// The tenant whose flows will act as this client.
    public var tenant: TenantID
    /// The source type's name as the caller gave it, unchecked.
    public var sourceType: String
    /// The `client_id` that the provider gave: 1 to 1024 characters (RFC 6749 appendix A.1).
    public var clientID: String
    /// The `client_secret`: 1 to 2048 characters (RFC 6749 appendix A.2); `nil` for a public client. It is not kept
    /// where the source type sends it nowhere.
    public var clientSecret: ClientSecret?
    /// The scopes to ask for in place of the source type's own; `nil`: these.
    public var scopes: [String]?
    /// The values of those parameters of the source type that only an operator sets, such as the host of its server.
    public var parameters: [String: String]
    /// The operator, for the audit trail.
    public var requester: Requester

    /// Checks nothing: `Broker.setClient` does.
    public init(
        tenant: TenantID, sourceType: String, clientID: String, clientSecret: ClientSecret?, scopes: [String]? = nil,
        parameters: [String: String] = [:], requester: Requester = .unknown
    ) {
        self.tenant = tenant
        self.sourceType = sourceType
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.scopes = scopes
        self.parameters = parameters
        self.requester = requester
    }
}

/// A reason for which a tenant's client was not kept.
public enum ClientSettingError: Error, Equatable, Sendable {
    /// The source type or a parameter, as `authorize` would refuse it.
    case request(AuthorizeError)
    /// The request's member of this name is empty, too long, or has characters that RFC 6749 appendix A.1 and A.2 do
    /// not allow.
    case malformed(member: String)
    /// This source type's client authenticates with a secret, and none was given.
    case secretMissing
    /// This source type's client authenticates by a key or a certificate, which only the configuration can give.
    case needsKey
    /// The store failed; nothing was changed.
    case store(StoreError)
}

extension Broker {
    /// Keeps a tenant's own client, in place of an earlier one; flows of the tenant use it from now on. `isNew` tells
    /// that there was none before. The secret is sealed before the store sees it.
    public func setClient(_ setting: ClientSetting) async throws(ClientSettingError) -> (kept: KeptClient, isNew: Bool)
    {
        let (id, profile) = try sourceTypeWithOAuth(setting.sourceType)
        guard Self.isSound(setting.clientID, most: 1024) else { throw .malformed(member: "clientId") }
        var sealed: Sealed<ClientSecret>?
        if profile.needsKey || profile.needsCertificate { throw .needsKey }
        switch profile.clientAuthentication {
        case .none, .privateKeyJWT, .tls: break
        case .basicRaw where setting.clientID.utf8.contains(UInt8(ascii: ":")): throw .malformed(member: "clientId")
        default: if setting.clientSecret == nil { throw .secretMissing }
        }
        if let secret = setting.clientSecret {
            guard secret.expose({ Self.isSound($0, most: 2048) }) else { throw .malformed(member: "clientSecret") }
            // A secret that no request sends is not kept: it could only be lost.
            if profile.needsSecret || profile.resourceParameter != nil {
                sealed = vault.seal(secret, of: setting.tenant, id)
            }
        }
        do {
            try profile.check(operators: setting.parameters)
            // Tried now, so that no flow fails later.
            _ = try profile.scopes(setting.scopes, values: setting.parameters)
        } catch {
            throw .request(error)
        }
        let now = now()
        let kept = KeptClient(
            sourceType: id, id: setting.clientID, secret: sealed, scopes: setting.scopes,
            parameters: setting.parameters, changedAt: now)
        let event = Event(
            .clientChanged, at: now, by: setting.requester, tenant: setting.tenant, sourceType: id, code: "set")
        defer { tenantClients.forget(setting.tenant) }
        do {
            let isNew = try await store.setClient(kept, of: setting.tenant, recording: event)
            report(event)
            return (kept, isNew)
        } catch {
            throw .store(error)
        }
    }

    /// A tenant's own client, its secret sealed; `nil` where it has none. Throws `request` for an unknown source type.
    public func keptClient(_ sourceType: String, of tenant: TenantID) async throws(ClientSettingError) -> KeptClient? {
        let (id, _) = try sourceTypeWithOAuth(sourceType)
        do {
            return try await store.clients(of: tenant).first { $0.sourceType == id }
        } catch {
            throw .store(error)
        }
    }

    /// Deletes a tenant's own client: its flows use the installation's again. `false` where there was none. Also for
    /// source types that the catalog does not have any more.
    public func deleteClient(
        _ sourceType: String, of tenant: TenantID, by requester: Requester
    ) async throws(ClientSettingError) -> Bool {
        // Not `sourceTypeWithOAuth`: what the catalog has lost since must still go.
        guard let id = SourceType.ID(sourceType) else { throw .request(.unknownSourceType) }
        let event = Event(.clientChanged, at: now(), by: requester, tenant: tenant, sourceType: id, code: "deleted")
        defer { tenantClients.forget(tenant) }
        do {
            guard try await store.deleteClient(id, of: tenant, recording: event) else { return false }
        } catch {
            throw .store(error)
        }
        report(event)
        return true
    }

    /// The redirect address to register for a tenant's own client, whether or not there is one yet.
    public func redirectURI(ofClientFor sourceType: SourceType.ID, of tenant: TenantID) -> String {
        redirects.url(redirects.path(of: sourceType, ownedBy: tenant))
    }

    private func sourceTypeWithOAuth(
        _ name: String
    ) throws(ClientSettingError) -> (SourceType.ID, OAuthProfile) {
        guard let id = SourceType.ID(name), let sourceType = catalog[id] else { throw .request(.unknownSourceType) }
        guard let profile = sourceType.oauth else { throw .request(.withoutOAuth(id)) }
        return (id, profile)
    }

    /// RFC 6749 appendix A.1, A.2: visible ASCII and spaces.
    private static func isSound(_ text: String, most: Int) -> Bool {
        (1...most).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }
}
