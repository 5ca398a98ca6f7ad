import Hummingbird

/// A bare Hummingbird route that parses and answers the same JSON as `assets:authorize`, and does nothing else: no
/// token, no flow, no database. Set up as the broker's own server is.
enum BaselineServer {
    private struct Question: Decodable {
        let sourceType: String
        let parameters: [String: String]?
        let scopes: [String]?
        let returnUrl: String?
        let exchangeChallenge: String?
        let frontendOrigin: String?
    }

    private struct Answer: ResponseEncodable {
        let authorizationUrl: String
        let flow: String
        let expiresAt: Int64
    }

    static func serve(at port: UInt16) async throws {
        let router = Router()
        router.get("/healthz") { _, _ in HTTPResponse.Status.ok }
        // As long as the broker's answers.
        let url =
            "http://127.0.0.1:20000/authorize?response_type=code&client_id=bench-client&redirect_uri="
            + "http%3A%2F%2F127.0.0.1%3A20001%2Foauth%2Fcallback%2Fbench_drive&scope=files.read%20files.write&state="
            + String(repeating: "s", count: 43) + "&code_challenge=" + String(repeating: "c", count: 43)
            + "&code_challenge_method=S256"
        router.post("/v1/tenants/{tenant}/assets:authorize") { request, context in
            let question = try await request.decode(as: Question.self, context: context)
            return Answer(authorizationUrl: url, flow: question.sourceType, expiresAt: 1_790_000_000_000)
        }
        let application = Application(
            router: router,
            server: .http1(configuration: .init(idleTimeout: .seconds(60))),
            configuration: .init(
                address: .hostname("127.0.0.1", port: Int(port)), serverName: nil, backlog: 1024))
        try await application.runService()
    }
}
