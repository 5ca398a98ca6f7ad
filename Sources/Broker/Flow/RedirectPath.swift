import Catalog
import Formats
import Secrets

/// The end of a redirect address, after `/oauth/callback/`: `{name}`, or `{name}/{handle}` for a tenant's own client.
///
/// Empty for the one address that all clients shared before each had its own.
public struct RedirectPath: Hashable, Sendable, CustomStringConvertible {
    /// The path after `/oauth/callback/`, as stores keep it.
    public let description: String

    init(name: String, handle: RedirectHandle? = nil) {
        description = handle.map { "\(name)/\($0)" } ?? name
    }

    /// The path that a callback came to, or that a store kept: unchecked text, only to be compared.
    ///
    /// Text that is longer than any path of the broker's becomes `/`, which equals none of them.
    public init(received text: some StringProtocol) {
        description = text.utf8.count <= Self.longest ? String(text) : "/"
    }

    /// The longest path: a source type's name, a slash and a handle.
    private static let longest = 64 + 1 + 22

    /// The address `/oauth/callback` itself.
    public static let legacy = RedirectPath(name: "")
}

/// Tells a client's redirect address from all others of the same name: 22 characters, known before the client is.
///
/// Made from the tenant and the source type, and from no key: an address that is registered at a provider outlives
/// every key.
struct RedirectHandle: Hashable, Sendable, CustomStringConvertible {
    let description: String

    /// The handle of a tenant's own client.
    init(tenant: TenantID, sourceType: SourceType.ID) {
        self.init(use: "tenant", tenant.description, sourceType.description)
    }

    /// The handle of all clients at one authorization server, however many tenants connect there: the broker is one
    /// client to it.
    init(issuer: String) {
        self.init(use: "issuer", Self.rooted(issuer))
    }

    /// The handle of the client that a tenant has for itself at one authorization server.
    init(issuer: String, tenant: TenantID) {
        self.init(use: "issuer and tenant", Self.rooted(issuer), tenant.description)
    }

    /// An issuer without a path is the same with a slash (RFC 3986 § 6.2.3).
    private static func rooted(_ issuer: String) -> String {
        let shorter = issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer
        return shorter.isSameRoot(as: issuer) ? shorter : issuer
    }

    /// The handle in an address that somebody asks for; `nil` unless it has the form of one.
    init?(received text: some StringProtocol) {
        guard text.utf8.count == 22, let bytes = Base64URL.decode(text), bytes.count == 16 else { return nil }
        description = String(text)
    }

    /// - Parameters:
    ///   - use: the kind of client, so that no two kinds share a handle.
    ///   - parts: no part can hold the separator.
    private init(use: String, _ parts: String...) {
        let text = (["cloakroom redirect address", use] + parts).joined(separator: "\u{0}")
        description = Base64URL.encode(Array(Digest(of: text).bytes.prefix(16)))
    }
}
