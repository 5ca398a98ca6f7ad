import HTTPTypes
import Hummingbird

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A server of the Model Context Protocol with one tool, for tokens that were issued for it (RFC 8707).
extension SandboxProvider {
    private static let path = "/mcp"
    private var mcpURL: String { baseURL + Self.path }
    private var mcpMetadataURL: String { "\(baseURL)/.well-known/oauth-protected-resource\(Self.path)" }

    /// RFC 9728 § 2.
    private struct ResourceMetadata: Encodable {
        let resource: String
        let authorizationServers: [String]
        let scopes: [String]
        let name = "Sandbox notebook"

        enum CodingKeys: String, CodingKey {
            case resource
            case authorizationServers = "authorization_servers"
            case scopes = "scopes_supported"
            case name = "resource_name"
        }
    }

    func addMCPServer(to router: Router<BasicRequestContext>) {
        router.get("/.well-known/oauth-protected-resource/mcp") { _, _ in
            try Response.json(
                ResourceMetadata(
                    resource: self.mcpURL, authorizationServers: [self.baseURL],
                    scopes: Scope.known.map(\.name)), headers: self.openToAll([:]))
        }
        router.post("/mcp") { request, _ in try await self.mcp(request) }
        router.on("/mcp", method: .options) { _, _ in
            Response(
                status: .noContent,
                headers: self.openToAll([
                    .accessControlAllowMethods: "POST", .accessControlAllowHeaders: "Authorization, Content-Type",
                    .accessControlMaxAge: "600",
                ]))
        }
    }

    /// JSON-RPC 2.0 § 4, as far as it is looked at.
    private struct Call: Decodable {
        let id: Int?
        let method: String
    }

    private func mcp(_ request: Request) async throws -> Response {
        guard let grant = await grant(of: request), grant.resource == mcpURL else {
            let challenge = #"Bearer error="invalid_token", resource_metadata="\#(mcpMetadataURL)""#
            return try .json(
                ["error": "invalid_token"], status: .unauthorized,
                headers: openToAll([.wwwAuthenticate: challenge]))
        }
        guard let body = try? await request.body.collect(upTo: 64 * 1024),
            let call = try? JSONDecoder().decode(Call.self, from: Data(body.readableBytesView))
        else { return try .json(["error": "no JSON-RPC request"], status: .badRequest, headers: openToAll([:])) }
        guard let id = call.id else { return Response(status: .accepted, headers: openToAll([:])) }
        return try .json(MCPAnswer(id: id, method: call.method, grant: grant), headers: openToAll([:]))
    }
}

/// The result of one call, or the error that there is no such method.
private struct MCPAnswer: Encodable {
    let id: Int
    let method: String
    let grant: Grant

    private enum Key: String, CodingKey { case jsonrpc, id, result, error }
    private enum Member: String, CodingKey {
        case protocolVersion, capabilities, serverInfo, name, version, tools, description, inputSchema, type, content,
            text, code, message
    }

    func encode(to encoder: any Encoder) throws {
        var answer = encoder.container(keyedBy: Key.self)
        try answer.encode("2.0", forKey: .jsonrpc)
        try answer.encode(id, forKey: .id)
        switch method {
        case "initialize":
            var result = answer.nestedContainer(keyedBy: Member.self, forKey: .result)
            try result.encode("2025-06-18", forKey: .protocolVersion)
            try result.encode(["tools": [String: String]()], forKey: .capabilities)
            try result.encode(["name": "Sandbox notebook", "version": "1"], forKey: .serverInfo)
        case "ping": try answer.encode([String: String](), forKey: .result)
        case "tools/list":
            var result = answer.nestedContainer(keyedBy: Member.self, forKey: .result)
            var tools = result.nestedUnkeyedContainer(forKey: .tools)
            var tool = tools.nestedContainer(keyedBy: Member.self)
            try tool.encode("list_notes", forKey: .name)
            try tool.encode("Lists the notes of whoever consented.", forKey: .description)
            try tool.encode(["type": "object"], forKey: .inputSchema)
        case "tools/call":
            var result = answer.nestedContainer(keyedBy: Member.self, forKey: .result)
            var content = result.nestedUnkeyedContainer(forKey: .content)
            for file in grant.account.files {
                var item = content.nestedContainer(keyedBy: Member.self)
                try item.encode("text", forKey: .type)
                try item.encode(file, forKey: .text)
            }
        default:
            var error = answer.nestedContainer(keyedBy: Member.self, forKey: .error)
            try error.encode(-32601, forKey: .code)
            try error.encode("method not found", forKey: .message)
        }
    }
}
