import HTTPTypes
import Hummingbird
import NIOCore

/// A small drive of the sandbox's accounts, as Google's Drive API v3 would show it, and an embedder beside it, so that
/// an asset service has something to read.
extension SandboxProvider {
    func addDrive(to router: Router<BasicRequestContext>) {
        router.get("/drive/v3/files") { request, _ in try await self.list(request) }
        router.get("/drive/v3/files/{id}") { request, context in
            try await self.content(request, of: context.parameters.get("id"), exported: false)
        }
        router.get("/drive/v3/files/{id}/export") { request, context in
            try await self.content(request, of: context.parameters.get("id"), exported: true)
        }
        router.post("/v1/embeddings") { request, context in
            try Response.json(EmbeddingAnswer(try await request.decode(as: EmbeddingRequest.self, context: context)))
        }
    }

    private struct Listing: Encodable {
        let kind = "drive#fileList"
        let incompleteSearch = false
        let files: [DriveFile]
        let nextPageToken: String?
    }

    private func list(_ request: Request) async throws -> Response {
        guard await mayRead(request) else { return try Self.unauthorized() }
        let fields = request.queryFields
        let wanted = DriveFile.all.filter { Self.matches($0, fields["q"] ?? "") }
        let size = max(1, min(1000, fields["pageSize"].flatMap(Int.init) ?? 100))
        let start = fields["pageToken"].flatMap(Int.init) ?? 0
        let page = Array(wanted.dropFirst(max(0, start)).prefix(size))
        let next = start + page.count < wanted.count ? String(start + page.count) : nil
        return try .json(Listing(files: page, nextPageToken: next))
    }

    /// Of Drive's query language, the one condition that readers of folders need.
    private static func matches(_ file: DriveFile, _ query: String) -> Bool {
        guard query.contains("in parents") else { return true }
        let parts = query.split(separator: "'", omittingEmptySubsequences: false)
        guard parts.count > 2 else { return false }
        return file.parent == (parts[1] == "root" ? DriveFile.root : String(parts[1]))
    }

    private func content(_ request: Request, of id: String?, exported: Bool) async throws -> Response {
        guard await mayRead(request) else { return try Self.unauthorized() }
        guard let file = DriveFile.all.first(where: { $0.id == id }) else {
            return try .json(["error": "not_found"], status: .notFound)
        }
        let isContent = exported || request.queryFields["alt"] == "media"
        guard isContent else { return try .json(file) }
        guard file.isNative == exported else { return try .json(["error": "wrong_kind"], status: .forbidden) }
        // So that a person sees the bar move.
        try await Task.sleep(for: delays.download)
        let type = exported ? request.queryFields["mimeType"] ?? "text/plain" : file.type
        return Response(
            status: .ok, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(bytes: file.bytes)))
    }

    private func mayRead(_ request: Request) async -> Bool {
        await grant(of: request)?.scopes.contains("files.read") == true
    }

    private static func unauthorized() throws -> Response {
        let headers: HTTPFields = [.wwwAuthenticate: #"Bearer realm="sandbox", error="invalid_token""#]
        return try .json(["error": "invalid_token"], status: .unauthorized, headers: headers)
    }
}

/// A call of OpenAI's `/v1/embeddings`.
private struct EmbeddingRequest: Decodable {
    let model: String
    let input: [String]
}

/// Its answer: vectors that mean nothing, but are the same for the same text.
private struct EmbeddingAnswer: Encodable {
    struct Item: Encodable {
        let object = "embedding"
        let index: Int
        let embedding: [Float]
    }

    struct Usage: Encodable {
        let promptTokens: Int
        let totalTokens: Int

        private enum CodingKeys: String, CodingKey {
            case promptTokens = "prompt_tokens"
            case totalTokens = "total_tokens"
        }
    }

    let object = "list"
    let model: String
    let data: [Item]
    let usage: Usage

    init(_ request: EmbeddingRequest) {
        model = request.model
        data = request.input.enumerated().map { index, text in
            let digest = SHA256.digest(Array(text.utf8)).prefix(8)
            return Item(index: index, embedding: digest.map { Float($0) / 255 })
        }
        let tokens = request.input.reduce(0) { $0 + ($1.utf8.count + 3) / 4 }
        usage = Usage(promptTokens: tokens, totalTokens: tokens)
    }
}
