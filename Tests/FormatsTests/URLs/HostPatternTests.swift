import Formats
import Testing

@Suite struct HostPatternTests {
    @Test(arguments: [
        ("mcp.example.com", "https://mcp.example.com/mcp"), ("mcp.example.com", "https://mcp.example.com:8443/"),
        ("mcp.example.com", "http://mcp.example.com"), ("mcp.example.com:8443", "https://MCP.example.com:8443/x"),
        ("*.mcp.example.com", "https://a.mcp.example.com/"), ("*.mcp.example.com", "https://a.mcp.example.com:1/"),
        ("*.mcp.example.com:81", "http://a.mcp.example.com:81"), ("127.0.0.1", "http://127.0.0.1:9000/mcp"),
        ("[::1]", "http://[::1]:9000/mcp"), ("[::1]:9000", "http://[::1]:9000"), ("localhost", "http://localhost"),
    ])
    func `an address at the host matches`(_ pattern: String, _ url: String) throws {
        #expect(try #require(HostPattern(pattern)).matches(#require(StrictURL(url))))
    }

    @Test(arguments: [
        ("mcp.example.com", "https://example.com/"), ("mcp.example.com", "https://a.mcp.example.com/"),
        ("mcp.example.com", "https://mcp.example.com.evil.net/"), ("mcp.example.com:8443", "https://mcp.example.com/"),
        ("mcp.example.com:8443", "https://mcp.example.com:8444/"), ("*.mcp.example.com", "https://mcp.example.com/"),
        ("*.mcp.example.com", "https://a.b.mcp.example.com/"), ("127.0.0.1", "http://127.0.0.10/"),
        ("[::1]", "http://[::2]/"), ("1.example.com", "https://11.example.com/"),
    ])
    func `any other does not`(_ pattern: String, _ url: String) throws {
        #expect(try !#require(HostPattern(pattern)).matches(#require(StrictURL(url))))
    }

    @Test(arguments: [
        "", "*", "*.com", "https://mcp.example.com", "mcp.example.com/", "mcp.example.com/mcp", "MCP.example.com",
        "a*.example.com", "mcp.example.com:", "mcp.example.com:0", "a@example.com", "mcp.example.com?x",
        "m c.example.com",
        "*.*.example.com",
    ])
    func `what is no host is refused`(_ text: String) {
        #expect(HostPattern(text) == nil)
    }
}
