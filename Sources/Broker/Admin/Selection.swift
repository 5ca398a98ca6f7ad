public import Catalog
public import Formats
public import Secrets

/// Which credential keys and flows an operator means: those that fit all that is given.
public struct Selection: Sendable, Equatable {
    public var tenant: TenantID?
    public var sourceType: SourceType.ID?
    /// One flow and its credential key.
    public var flow: FlowID?

    public init(tenant: TenantID? = nil, sourceType: SourceType.ID? = nil, flow: FlowID? = nil) {
        self.tenant = tenant
        self.sourceType = sourceType
        self.flow = flow
    }
}

/// A credential key as operators see it: never its key, never a token.
public struct CredentialKeySummary: Sendable {
    public let placement: Placement
    public let createdAt: Timestamp
    public let expiresAt: Timestamp
    public let position: CredentialKeyPosition

    public init(placement: Placement, createdAt: Timestamp, expiresAt: Timestamp, position: CredentialKeyPosition) {
        self.placement = placement
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.position = position
    }
}

/// Credential keys, oldest first.
public struct CredentialKeyPage: Sendable {
    public let credentialKeys: [CredentialKeySummary]
    /// The place to go on from, where the page ends since enough were looked at; `nil` where it is full, or no more are
    /// left.
    public let next: CredentialKeyPosition?

    public init(credentialKeys: [CredentialKeySummary], next: CredentialKeyPosition?) {
        self.credentialKeys = credentialKeys
        self.next = next
    }
}

/// A revocation's place in the store's order: above those before it, and never used again.
public struct RevocationNumber: Sendable, Equatable {
    public let value: Int64

    public init(_ value: Int64) {
        self.value = value
    }
}

/// A place in the order of credential keys, which stays the same while others come and go.
public struct CredentialKeyPosition: Sendable, Equatable {
    public let expiresAt: Timestamp
    public let keyDigest: [UInt8]

    public init(expiresAt: Timestamp, keyDigest: [UInt8]) {
        self.expiresAt = expiresAt
        self.keyDigest = keyDigest
    }

    /// 54 characters of base64url, for page tokens. The digest of a random key tells nothing about the key.
    public var text: String {
        let time = withUnsafeBytes(of: expiresAt.milliseconds.bigEndian) { Array($0) }
        return Base64URL.encode(time + keyDigest)
    }

    public init?(_ text: String) {
        guard let bytes = Base64URL.decode(text), bytes.count == 40 else { return nil }
        let time = bytes.prefix(8).reduce(Int64(0)) { $0 << 8 | Int64($1) }
        guard time >= 0 else { return nil }
        expiresAt = Timestamp(milliseconds: time)
        keyDigest = Array(bytes.dropFirst(8))
    }
}

/// A credential key that nobody can redeem any more, and what the provider needs to take its token back.
public struct DestroyedCredentialKey: Sendable {
    public let placement: Placement
    /// `nil`: the provider has no revocation.
    public let revocation: Sealed<TokenToRevoke>?

    public init(placement: Placement, revocation: Sealed<TokenToRevoke>?) {
        self.placement = placement
        self.revocation = revocation
    }
}

/// Whose client, and for what: also its place in the store's order.
public struct ClientPosition: Sendable, Equatable {
    public let tenant: TenantID
    public let sourceType: SourceType.ID

    public init(tenant: TenantID, sourceType: SourceType.ID) {
        self.tenant = tenant
        self.sourceType = sourceType
    }
}

/// A tenant's own client as a store keeps it.
public struct KeptClient: Sendable {
    public let sourceType: SourceType.ID
    public let id: String
    public let secret: Sealed<ClientSecret>?
    /// In place of the source type's own.
    public let scopes: [String]?
    public let parameters: [String: String]
    public let changedAt: Timestamp

    public init(
        sourceType: SourceType.ID, id: String, secret: Sealed<ClientSecret>?, scopes: [String]?,
        parameters: [String: String], changedAt: Timestamp
    ) {
        self.sourceType = sourceType
        self.id = id
        self.secret = secret
        self.scopes = scopes
        self.parameters = parameters
        self.changedAt = changedAt
    }
}
