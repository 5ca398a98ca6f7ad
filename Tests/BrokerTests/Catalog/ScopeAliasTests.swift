import Catalog
import StrictYAML
import Testing

/// The scopes that the built-in entries take for granted ones. Each pair is from the provider's documentation.
@Suite struct ScopeAliasTests {
    private static let catalog = Catalog(allowInsecure: false, findings: Findings())

    private func isGranted(_ asked: String, in granted: String, by entry: String) throws -> Bool {
        let profile = try #require(SourceType.ID(entry).flatMap { Self.catalog[$0]?.oauth })
        return profile.isGranted([asked], in: granted)
    }

    @Test(arguments: [
        ("google_drive", "email", "https://www.googleapis.com/auth/userinfo.email openid"),
        ("gmail", "profile", "https://www.googleapis.com/auth/userinfo.profile"),
        ("github", "public_repo", "gist,repo"), ("github", "user:email", "user"), ("github", "read:user", "user"),
        ("github", "read:org", "admin:org"), ("github_enterprise", "write:packages", "admin:packages"),
        ("onedrive", "https://graph.microsoft.com/Files.Read.All", "profile openid Files.Read.All"),
        ("onedrive", "Files.Read.All", "https://graph.microsoft.com/files.read.all"),
        ("teams", "https://graph.microsoft.com/.default", "https://graph.microsoft.com/Chat.Read"),
        ("outlook", "offline_access", "Mail.Read"),
        (
            "azure_devops", "499b84ac-1321-427f-aa17-267ca6975798/.default",
            "499b84ac-1321-427f-aa17-267ca6975798/vso.code"
        ),
        ("shopify", "read_products", "write_products,read_orders"),
    ])
    func `what is granted under another name is granted`(_ entry: String, _ asked: String, _ granted: String) throws {
        #expect(try isGranted(asked, in: granted, by: entry))
    }

    @Test(arguments: [
        ("google_drive", "email", "https://www.googleapis.com/auth/userinfo.profile"),
        ("github", "repo", "public_repo"), ("github", "read:org", "write:packages user"),
        ("onedrive", "Files.ReadWrite", "Files.Read"), ("shopify", "write_products", "read_products"),
        ("shopify", "read_products", "write_product"), ("slack", "users:read", "users:write"),
    ])
    func `no other scope stands for one`(_ entry: String, _ asked: String, _ granted: String) throws {
        #expect(try !isGranted(asked, in: granted, by: entry))
    }
}
