import Formats
import Testing

@testable import Broker

/// RFC 9728 § 2 and § 3.
@Suite struct ResourceMetadataTests {
    private func read(_ json: String, at url: String = "https://resource.example.com") throws -> ResourceMetadata {
        try ResourceMetadata(json: Array(json.utf8), of: #require(StrictURL(url)))
    }

    /// RFC 9728 § 3.2.
    @Test func `the published document is read`() throws {
        let metadata = try read(
            """
            {
             "resource": "https://resource.example.com",
             "authorization_servers": ["https://as1.example.com", "https://as2.example.net"],
             "bearer_methods_supported": ["header", "body"],
             "scopes_supported": ["profile", "email", "phone"],
             "resource_documentation": "https://resource.example.com/resource_documentation.html"
            }
            """)
        #expect(metadata.resource == "https://resource.example.com")
        #expect(metadata.authorizationServers == ["https://as1.example.com", "https://as2.example.net"])
        #expect(metadata.scopes == ["profile", "email", "phone"])
    }

    /// RFC 9728 § 3.1.
    @Test(arguments: [
        ("https://resource.example.com", ["/.well-known/oauth-protected-resource"]),
        ("https://resource.example.com/", ["/.well-known/oauth-protected-resource"]),
        (
            "https://resource.example.com/resource1",
            ["/.well-known/oauth-protected-resource/resource1", "/.well-known/oauth-protected-resource"]
        ),
        (
            "https://resource.example.com/a?b=c",
            ["/.well-known/oauth-protected-resource/a?b=c", "/.well-known/oauth-protected-resource"]
        ),
    ])
    func `a document is looked for between host and path, then at the root`(_ url: String, _ paths: [String]) throws {
        #expect(
            ResourceMetadata.addresses(of: try #require(StrictURL(url)))
                == paths.map { "https://resource.example.com\($0)" })
    }

    /// Else a neighbour's document at a place of its own would have tokens for the whole host sent to it.
    @Test func `at a place of the server's own choice, the document is for that server alone`() throws {
        let url = try #require(StrictURL("https://h.example/t/evil"))
        let read = { (resource: String) in
            try ResourceMetadata(
                json: Array(#"{"resource": "\#(resource)", "authorization_servers": ["https://as.example"]}"#.utf8),
                of: url, takingFolders: false)
        }
        #expect(try read("https://h.example/t/evil").resource == "https://h.example/t/evil")
        for wider in ["https://h.example", "https://h.example/t"] {
            #expect(throws: ResourceMetadataError.anotherResource(wider)) { try read(wider) }
        }
    }

    @Test(arguments: [
        ("https://h.example/mcp", "https://h.example/mcp"), ("https://h.example/mcp", "https://h.example/mcp/"),
        ("https://h.example/mcp", "https://h.example"), ("https://h.example/mcp", "https://h.example/"),
        ("https://h.example/a/mcp", "https://h.example/a"), ("https://h.example", "https://h.example/"),
        ("https://h.example/mcp?x=1", "https://h.example/mcp?x=1"), ("https://h.example/mcp", "https://H.example/mcp"),
    ])
    func `the resource is the server, or what it is in`(_ url: String, _ resource: String) throws {
        let metadata = try read(
            #"{"resource": "\#(resource)", "authorization_servers": ["https://as.example"]}"#, at: url)
        // As it names itself: the authorization server compares it so (RFC 8707 § 2).
        #expect(metadata.resource == resource)
    }

    @Test(arguments: [
        "https://other.example/mcp", "http://h.example/mcp", "https://h.example:8443/mcp", "https://h.example/mc",
        "https://h.example/mcp/x", "https://h.example/other", "https://h.example/?x", "https://h.example/mcp#x", "mcp",
        "https://h.example/mcp/..", "https://h.example/./mcp", "https://h.example/mcp/%2E%2e/mcp",
        "",
    ])
    func `another resource's document is refused`(_ resource: String) {
        #expect(throws: ResourceMetadataError.anotherResource(resource)) {
            try read(
                #"{"resource": "\#(resource)", "authorization_servers": ["https://as.example"]}"#,
                at: "https://h.example/mcp")
        }
    }

    @Test func `no more servers are looked at than are worth it, and none twice`() throws {
        let issuers = (0..<1000).map { "\"https://as\($0 / 2).example\"" }.joined(separator: ",")
        let metadata = try read(
            #"{"resource": "https://resource.example.com", "authorization_servers": [\#(issuers)]}"#)
        #expect(metadata.authorizationServers == (0..<5).map { "https://as\($0).example" })
        // A token's is looked for among all.
        #expect(metadata.names("https://as499.example") && metadata.names("https://as499.example/"))
        #expect(!metadata.names("https://as500.example") && !metadata.names("https://as499.example/x"))
    }

    @Test func `a document that is too long is not read`() {
        #expect(throws: ResourceMetadataError.tooLarge) {
            try read(String(repeating: " ", count: ResourceMetadata.sizeLimit) + "{}")
        }
    }
}
