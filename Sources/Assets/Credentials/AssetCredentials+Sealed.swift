public import Formats
public import Secrets

extension AssetCredentials {
    private static let label = Label("asset credentials")

    /// The tenant and the asset are the associated data: a row that is copied to another asset does not open.
    private static func context(_ asset: AssetID, _ tenant: TenantID) -> [UInt8] {
        Array("\(tenant)/\(asset)".utf8)
    }

    /// The credentials as they may be kept.
    public func sealed(by keyRing: KeyRing, of asset: AssetID, _ tenant: TenantID) -> Sealed<AssetCredentials> {
        var json = JSONWriter()
        json.literal("{\"accessToken\":")
        accessToken.expose { json.string($0) }
        if let refreshToken {
            json.literal(",\"refreshToken\":")
            refreshToken.expose { json.string($0) }
        }
        if let expiresAt {
            json.literal(",\"expiresAt\":")
            json.number(expiresAt.milliseconds)
        }
        json.literal("}")
        return keyRing.seal(SecretBytes(json.bytes), as: Self.label, context: Self.context(asset, tenant))
    }

    /// Throws where they were sealed for another asset, under a key that is gone, or are altered.
    public init(
        _ sealed: Sealed<AssetCredentials>, by keyRing: KeyRing, of asset: AssetID, _ tenant: TenantID
    ) throws(OpenError) {
        let json = try keyRing.open(sealed, as: Self.label, context: Self.context(asset, tenant))
        let members = json.expose { try? StrictJSON.object($0) }
        guard let members, let accessToken = members["accessToken"]?.string else { throw .malformed }
        self.init(
            accessToken: AccessToken(accessToken),
            refreshToken: members["refreshToken"]?.string.map { RefreshToken($0) },
            expiresAt: members["expiresAt"]?.number.map { Timestamp(milliseconds: Int64($0)) })
    }
}
