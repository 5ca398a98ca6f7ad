public import Catalog
public import Formats
public import Secrets

/// A choice of credential keys and flows by an operator: those that fit all that is given. `nil` fits any.
public struct Selection: Sendable, Equatable {
    /// Those of this tenant.
    public var tenant: TenantID?
    /// Those of this source type.
    public var sourceType: SourceType.ID?
    /// One flow and its credential key.
    public var flow: FlowID?

    /// Without arguments: everything.
    public init(tenant: TenantID? = nil, sourceType: SourceType.ID? = nil, flow: FlowID? = nil) {
        self.tenant = tenant
        self.sourceType = sourceType
        self.flow = flow
    }
}

/// A credential key as operators see it: never the key, never a token.
public struct CredentialKeySummary: Sendable {
    /// The key's tenant, source type and flow.
    public let placement: Placement
    /// The moment of the callback's exchange.
    public let createdAt: Timestamp
    /// The moment from which it is refused.
    public let expiresAt: Timestamp
    /// Its place in the order of the list, to go on after it.
    public let position: CredentialKeyPosition

    /// For stores.
    public init(placement: Placement, createdAt: Timestamp, expiresAt: Timestamp, position: CredentialKeyPosition) {
        self.placement = placement
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.position = position
    }
}

/// A page of credential keys, oldest first.
public struct CredentialKeyPage: Sendable {
    /// The keys that fit the selection; may be fewer than were asked for though more follow (see `next`).
    public let credentialKeys: [CredentialKeySummary]
    /// The place to go on after, where the search ended early since it had looked at enough keys; `nil` where the page
    /// is full, or no keys are left.
    public let next: CredentialKeyPosition?

    /// For stores.
    public init(credentialKeys: [CredentialKeySummary], next: CredentialKeyPosition?) {
        self.credentialKeys = credentialKeys
        self.next = next
    }
}

/// A revocation's place in the store's order: above those before it, and never used again.
public struct RevocationNumber: Sendable, Equatable {
    /// The place; each later revocation has a higher one.
    public let value: Int64

    /// For stores.
    public init(_ value: Int64) {
        self.value = value
    }
}

/// A place in the order of credential keys, by expiry and then digest, which stays the same while others come and go.
public struct CredentialKeyPosition: Sendable, Equatable {
    /// The expiry of the key at this place.
    public let expiresAt: Timestamp
    /// The digest of the key at this place: 32 bytes.
    public let keyDigest: [UInt8]

    /// For stores; checks nothing.
    public init(expiresAt: Timestamp, keyDigest: [UInt8]) {
        self.expiresAt = expiresAt
        self.keyDigest = keyDigest
    }

    /// 54 characters of base64url, for page tokens. The digest of a random key tells nothing about the key.
    public var text: String {
        let time = withUnsafeBytes(of: expiresAt.milliseconds.bigEndian) { Array($0) }
        return Base64URL.encode(time + keyDigest)
    }

    /// Reads a page token; `nil` unless it has the form of `text`. It need not name a key that is there.
    public init?(_ text: String) {
        guard let bytes = Base64URL.decode(text), bytes.count == 40 else { return nil }
        let time = bytes.prefix(8).reduce(Int64(0)) { $0 << 8 | Int64($1) }
        guard time >= 0 else { return nil }
        expiresAt = Timestamp(milliseconds: time)
        keyDigest = Array(bytes.dropFirst(8))
    }
}

/// A credential key that an operator's revocation destroyed, with what the provider needs to revoke its token.
public struct DestroyedCredentialKey: Sendable {
    /// The key's tenant, source type and flow.
    public let placement: Placement
    /// `nil` where the provider revokes none of what it granted.
    public let revocation: Sealed<UnredeemedToken>?

    /// For stores.
    public init(placement: Placement, revocation: Sealed<UnredeemedToken>?) {
        self.placement = placement
        self.revocation = revocation
    }
}

/// The key of a tenant's own client: the tenant and the source type. It is also the client's place in the store's
/// order.
public struct ClientPosition: Sendable, Hashable {
    /// The tenant that brought the client.
    public let tenant: TenantID
    /// The source type that it is for.
    public let sourceType: SourceType.ID

    /// For stores.
    public init(tenant: TenantID, sourceType: SourceType.ID) {
        self.tenant = tenant
        self.sourceType = sourceType
    }
}
