/// Something that happened to a flow, for logs and whoever counts. Holds no secret.
public struct Event: Sendable {
    public enum Kind: String, Sendable {
        case flowStarted = "flow.started"
        case flowSucceeded = "flow.succeeded"
        case flowFailed = "flow.failed"
        case credentialKeyRedeemed = "credential_key.redeemed"
        /// A key came back after it was spent: somebody has a copy.
        case credentialKeyReused = "credential_key.reused"
        case credentialKeyRefused = "credential_key.refused"
        case credentialsRefreshed = "credentials.refreshed"
        case credentialsRevoked = "credentials.revoked"
    }

    public let kind: Kind
    public let tenant: TenantID?
    public let sourceType: SourceType.ID?
    public let flow: FlowID?
    /// Why it failed.
    public let code: String?

    init(
        _ kind: Kind, _ placement: Placement? = nil, tenant: TenantID? = nil, sourceType: SourceType.ID? = nil,
        code: String? = nil
    ) {
        self.kind = kind
        self.tenant = placement?.tenant ?? tenant
        self.sourceType = placement?.sourceType ?? sourceType
        self.flow = placement?.flow
        self.code = code
    }
}
