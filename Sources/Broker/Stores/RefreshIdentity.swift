public import Catalog
public import Formats
public import Secrets

/// One grant of one tenant at one client, and what is asked for: nobody else gets its answer.
public struct RefreshIdentity: Hashable, Sendable {
    /// The owner of the grant; an operator's revocation may select by it.
    public let tenant: TenantID
    /// Likewise.
    public let sourceType: SourceType.ID
    /// The refresh token that is sent.
    public let token: Digest
    /// All that makes it this refresh and no other.
    public let digest: Digest

    /// The identity of a request whose parameters are checked and filled.
    ///
    /// - Parameter scopes: in any order; `nil` where the caller names none.
    public init(
        tenant: TenantID, sourceType: SourceType.ID, client: String, parameters: [String: String],
        scopes: [String]?, token: RefreshToken
    ) {
        self.tenant = tenant
        self.sourceType = sourceType
        self.token = token.digest
        let parts =
            [tenant.description, sourceType.description, client, String(parameters.count)]
            + parameters.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
            + (scopes.map { ["scopes"] + $0.sorted() } ?? [])
        // Each part as its digest: no two lists of parts read the same.
        digest = Digest(of: parts.flatMap { Digest(of: $0).bytes } + self.token.bytes)
    }

    /// Equality by all that makes it this refresh.
    public static func == (left: Self, right: Self) -> Bool { left.digest == right.digest }
    /// As `==`.
    public func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}
