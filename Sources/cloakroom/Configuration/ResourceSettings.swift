import Broker
import Daemon
import Formats
import StrictYAML

extension ConfigurationReader {
    /// The hosts whose MCP servers tenants may connect; none unless named.
    func resourceServers() -> ResourceServers {
        let section = section("mcp")
        defer { section.finish() }
        var servers = ResourceServers(
            (section.strings("servers") ?? []).compactMap { text in
                let host = HostPattern(text)
                if host == nil {
                    section.problem(
                        "servers", found: text.quoted,
                        wanted: "hosts such as mcp.example.com, *.mcp.example.com or mcp.example.com:8443")
                }
                return host
            })
        if let documents = section.bool("clientDocuments") { servers.clientDocuments = documents }
        return servers
    }
}
