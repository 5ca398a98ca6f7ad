public import Formats
public import Secrets

extension AssetCredentials {
    /// The credentials as a store may keep them: under the first master key, for this asset of this tenant alone.
    public func sealed(by keyRing: KeyRing, of asset: AssetID, _ tenant: TenantID) -> Sealed<AssetCredentials> {
        keyRing.seal(SecretBytes(exposedJSON), as: Self.label, context: Self.context(asset, tenant))
    }

    /// Opens what `sealed` made. Throws where it was sealed for another asset or tenant, under a key that is gone, or is
    /// altered.
    public init(
        _ sealed: Sealed<AssetCredentials>, by keyRing: KeyRing, of asset: AssetID, _ tenant: TenantID
    ) throws(OpenError) {
        let json = try keyRing.open(sealed, as: Self.label, context: Self.context(asset, tenant))
        guard let credentials = json.expose({ Self(json: $0) }) else { throw .malformed }
        self = credentials
    }

    private static let label = Label("asset-credentials")

    /// Neither part can hold the separator, so that two places never give the same bytes: a row that is copied to
    /// another asset does not open.
    private static func context(_ asset: AssetID, _ tenant: TenantID) -> [UInt8] {
        Array("\(tenant)\u{0}\(asset)".utf8)
    }

    /// What there is not is left out.
    private var exposedJSON: [UInt8] {
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
        return json.bytes
    }

    private init?(json: [UInt8]) {
        guard let members = try? StrictJSON.object(json), let accessToken = members["accessToken"]?.string else {
            return nil
        }
        let expiresAt: Int64? =
            switch members["expiresAt"] {
            case .number(let number)?: Int64(exactly: number)
            case .integer(let whole)?: whole
            default: nil
            }
        self.init(
            accessToken: AccessToken(accessToken), refreshToken: members["refreshToken"]?.string.map(RefreshToken.init),
            expiresAt: expiresAt.map(Timestamp.init(milliseconds:)))
    }
}
