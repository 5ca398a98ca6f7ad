/// The trivial token endpoint: answers each code with tokens made from it. A process of its own, so that its CPU is
/// not counted as the broker's.
enum TokenEndpoint {
    static func accessToken(for code: String) -> String { "at-\(code)" }

    static func refreshToken(for code: String) -> String { "rt-\(code)" }

    /// Serves until the process ends, each request after so many seconds.
    static func serve(at port: UInt16, after delay: Double = 0) throws -> Never {
        try AnsweringServer.serve(at: port, after: delay, answer)
    }

    private static func answer(_ request: Message) -> [UInt8] {
        guard let code = request.body.word(after: "&code=") else { return AnsweringServer.refusal("400 Bad Request") }
        let body = """
            {"access_token":"\(accessToken(for: code))","token_type":"Bearer","expires_in":3600,\
            "refresh_token":"\(refreshToken(for: code))","scope":"files.read files.write"}
            """
        return AnsweringServer.answer(Array(body.utf8), type: "application/json")
    }
}
