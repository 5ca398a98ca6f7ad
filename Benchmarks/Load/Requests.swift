/// The requests of this benchmark, as bytes.
enum Requests {
    /// RFC 7636 appendix B.
    static let exchangeVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    private static let exchangeChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    /// The request that `connect.js` sends to begin a flow.
    static func authorize(token: String) -> [UInt8] {
        let body = #"{"sourceType":"\#(Installation.sourceType)","exchangeChallenge":"\#(exchangeChallenge)"}"#
        return Array(
            """
            POST /v1/tenants/\(Callers.tenant)/assets:authorize HTTP/1.1\r
            Host: 127.0.0.1\r
            Authorization: Bearer \(token)\r
            Origin: https://app.example.com\r
            Content-Type: application/json\r
            Content-Length: \(body.utf8.count)\r
            \r
            \(body)
            """.utf8)
    }

    /// - Parameter name: what follows `/oauth/callback/` in the flow's redirect address; `nil`: nothing does.
    static func callback(at name: String?, code: String, state: String) -> [UInt8] {
        get("/oauth/callback\(name.map { "/" + $0 } ?? "")?code=\(code)&state=\(state)")
    }

    static func redeem(key: String) -> [UInt8] {
        get(
            "/v1/tenants/\(Callers.tenant)/assets:oauthCredentials?credentialKey=\(key)"
                + "&exchangeVerifier=\(exchangeVerifier)")
    }

    static func get(_ path: String) -> [UInt8] {
        Array("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8)
    }
}
