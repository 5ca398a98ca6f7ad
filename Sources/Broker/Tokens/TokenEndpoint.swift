import Catalog
import Secrets

/// A provider's token endpoint, as one client asks it for one grant.
struct TokenEndpoint: Sendable {
    private(set) var provider: Provider
    let client: Client
    /// The address that the code was asked for with (RFC 6749 § 4.1.3).
    let redirectURI: String?
    /// The scopes that were asked for.
    let scopes: [String]
    let url: String
    /// The key that the tokens get bound to (RFC 9449 § 5): a new one each time, so that no two grants share one.
    let dpopKey: SigningKey?

    init(_ url: String, of provider: Provider, as client: Client, redirectURI: String?, scopes: [String]) {
        self.url = url
        self.provider = provider
        self.client = client
        self.redirectURI = redirectURI
        self.scopes = scopes
        dpopKey = provider.profile.dpop ? SigningKey.makeP256() : nil
    }

    /// The same endpoint of a provider that told more.
    func of(_ provider: Provider) -> TokenEndpoint {
        var endpoint = self
        endpoint.provider = provider
        return endpoint
    }

    /// The values that the catalog's placeholders stand for, but for the grant's own.
    var placeholders: PlaceholderValues {
        var values = PlaceholderValues(provider.values, client: client, redirectURI: redirectURI)
        values.set("scope", to: scopes.joined(separator: provider.profile.scopeSeparator))
        return values
    }
}
