import Formats
import Secrets
import Testing
import Transport

@testable import Broker
@testable import Catalog

@Suite struct TokenResponseTests {
    /// Instagram's, Facebook's and Threads' second token comes alone.
    @Test func `a swapped token leaves the rest of the grant as it was`() throws {
        let first = try read(#"{"access_token":"short","refresh_token":"r","scope":"a b","id_token":"i","user_id":17}"#)
        let second = try read(#"{"access_token":"long","expires_in":60}"#).keeping(first)
        #expect(second.accessToken.expose { $0 } == "long")
        #expect(second.expiresAt == TestTime.now.adding(seconds: 60))
        #expect(second.refreshToken?.expose { $0 } == "r")
        #expect(second.idToken?.expose { $0 } == "i")
        #expect(second.scope == "a b")
        #expect(second.document.expose { JSONPointer("/user_id")?.value(in: $0) } == .number(17))
    }

    /// The example of RFC 6749 § 5.1.
    @Test func `the example of RFC 6749 is read`() throws {
        let tokens = try read(
            #"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"example","expires_in":3600,"refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA","example_parameter":"example_value"}"#
        )
        #expect(tokens.accessToken.expose { $0 } == "2YotnFZFEjr1zCsicMWpAA")
        #expect(tokens.refreshToken?.expose { $0 } == "tGzv3JOkF0XG5Qx2TlKWIA")
        #expect(tokens.tokenType == "example")
        #expect(tokens.expiresAt == TestTime.now.adding(seconds: 3600))
        #expect(tokens.scope == nil)
        #expect(tokens.idToken == nil)
    }

    @Test func `every member of RFC 6749 and of OpenID Connect is read`() throws {
        let tokens = try read(#"{"access_token":"a","scope":"x y","id_token":"i.j.k"}"#)
        #expect(tokens.scope == "x y")
        #expect(tokens.idToken?.expose { $0 } == "i.j.k")
    }

    // MARK: how it is written

    @Test(arguments: [
        #"{"access_token":"a"}"#, "\u{FEFF}{\"access_token\":\"a\"}", " \n\t{ \"access_token\" : \"a\" }\r\n",
        "access_token=a",
        "access_token=a&scope=&token_type=bearer", "\u{FEFF}access_token=a", "access_token=a\n", "access%5Ftoken=%61",
        "x&access_token=a",
        #"{"error":null,"access_token":"a"}"#, #"{"access_token":"a","error":false}"#,
        #"{"access_token":"a","error":""}"#,
        #"{"access_token":"a","error":0}"#, "access_token=a&error=", #"{"access_token":"a","x":{"error":"y"}}"#,
        #"{"access_token":"a","expires_in":[],"scope":{},"refresh_token":5,"token_type":null}"#,
    ])
    func `a token is found however the answer is written`(_ body: String) throws {
        let tokens = try read(body)
        #expect(tokens.accessToken.expose { $0 } == "a")
        #expect(tokens.tokenType == "Bearer")
        #expect(tokens.refreshToken == nil)
    }

    @Test(arguments: [200, 201, 202, 203, 299])
    func `every status of success may hold tokens`(_ status: Int) throws {
        #expect(try read(#"{"access_token":"a"}"#, status: status).accessToken.expose { $0 } == "a")
    }

    @Test func `the content type decides nothing`() throws {
        for type in [
            "text/html", "application/json", "application/x-www-form-urlencoded", "text/plain; charset=utf-16",
        ] {
            #expect(
                try read(#"{"access_token":"a"}"#, headers: [("content-type", type)]).accessToken.expose { $0 } == "a")
        }
    }

    @Test func `a form-encoded answer is decoded`() throws {
        let tokens = try read(
            "access_token=a%2Fb%2B&scope=repo%2Cuser+x&token_type=bearer&refresh_token=r&expires_in=60")
        #expect(tokens.accessToken.expose { $0 } == "a/b+")
        #expect(tokens.scope == "repo,user x")
        #expect(tokens.tokenType == "Bearer")
        #expect(tokens.refreshToken?.expose { $0 } == "r")
        #expect(tokens.expiresAt == TestTime.now.adding(seconds: 60))
    }

    // MARK: members

    /// RFC 6749 § 5.1 requires `token_type`, in any case; who leaves it out means Bearer.
    @Test(arguments: [
        (#""bearer""#, "Bearer"), (#""BEARER""#, "Bearer"), (#""Bearer""#, "Bearer"), (#""mac""#, "mac"),
        (#""""#, "Bearer"), ("null", "Bearer"),
        ("5", "Bearer"), (#""user""#, "user"),
    ])
    func `a token type has one spelling, and Bearer is the default`(_ written: String, _ type: String) throws {
        #expect(try read(#"{"access_token":"a","token_type":\#(written)}"#).tokenType == type)
    }

    @Test(arguments: [
        (#""a b""#, "a b"), (#"["a","b"]"#, "a b"), (#"["a",1,"b"]"#, "a b"), ("null", nil), ("5", nil),
        (#""a,b""#, "a,b"),
    ])
    func `scopes may be a text or a list`(_ written: String, _ scope: String?) throws {
        #expect(try read(#"{"access_token":"a","scope":\#(written)}"#).scope == scope)
    }

    /// RFC 6749 appendix A.12: visible ASCII. Anything else could become another header.
    @Test(arguments: [
        #""""#, "null", "5", "true", "[\"a\"]", "{}", #""a\nb""#, #""a\r\nX: y""#, #""a\u0000""#, #""\u007f""#, #""é""#,
        #""\u202e""#, #""\t""#, #""a\ud83d""#, #""a\x""#, "\"a\n\"", "\"a\u{0}\"",
        // What a server says that has none.
        #""error: token is expired""#, #""token expired""#, #""Error 401: the token is expired""#, #""null""#,
        #""undefined""#, #""[object Object]""#, #""  ""#,
    ])
    func `an access token of another shape is none`(_ written: String) {
        #expect(fault(#"{"access_token":\#(written)}"#) == .noTokenResponse)
    }

    /// Characters that tokens of eBay, Salesforce, Amazon, Quip, Microsoft and Evernote have.
    @Test(arguments: [
        "v^1.1#i^1#r^1#p^3#I^3#f^0#t^Ul4x", "00D5g00000!AQ0AQNvU.x_y", "Atza|IwEBIN+/==", "U0d=|1700000000|x+/=",
        "EwB4A8l6BAAU*!$", "S=s1:U=8e:E=1:C=1:P=185:A=en:H=a1", "1000.abc.def", "a", "aGVsbG8=", "Nulls", "undefined1",
        "{\\\"a\\\":1}", "a1 b2", "id|secret with-1", "<token>x</token>",
    ])
    func `a token of any provider passes`(_ token: String) throws {
        let tokens = try read(#"{"access_token":"\#(token)","refresh_token":"\#(token)"}"#)
        let plain = token.replacing("\\\"", with: "\"")
        #expect(tokens.accessToken.expose { $0 } == plain)
        #expect(tokens.refreshToken?.expose { $0 } == plain)
    }

    /// RFC 6749 § 5.1 lets whoever reads ignore what it does not know.
    @Test(arguments: [
        #"{"access_token":"a","refresh_token":"r","name":"\ud83d"}"#,
        "{\"access_token\":\"a\",\"name\":\"Jos\u{0}\n\",\"refresh_token\":\"r\"}",
        #"{"name":"\x","access_token":"a","n":NaN,"refresh_token":"r"}"#,
        "access_token=a&refresh_token=r&x=1&x=2", "access_token=a&name=100%&refresh_token=r",
        "access_token=a&name=%E9&refresh_token=r", "access_token=a&name=a b\tc&refresh_token=r",
        "access_token=a&name=<b>{\"&refresh_token=r", "access_token=a&%&%FF=%&refresh_token=r",
    ])
    func `what nobody asks for costs no token`(_ body: String) throws {
        let tokens = try read(body)
        #expect(tokens.accessToken.expose { $0 } == "a")
        #expect(tokens.refreshToken?.expose { $0 } == "r")
        let latin = Array(#"{"x":""#.utf8) + [0xE9] + Array(#"","access_token":"a"}"#.utf8)
        let response = ProviderResponse(status: 200, body: latin)
        #expect(try TokenResponse(response, shape: .init(), now: TestTime.now).accessToken.expose { $0 } == "a")
    }

    @Test func `an error is seen beside what nobody asks for`() {
        #expect(
            fault(#"{"error":"invalid_grant","error_description":"\ud83d"}"#, status: 400)
                == .refused(error: "invalid_grant"))
        #expect(fault("error=invalid_grant&error_description=100%", status: 400) == .refused(error: "invalid_grant"))
        #expect(fault("error=a&error=b&access_token=a") == .refused(error: nil))
    }

    @Test func `a refresh token of another shape is left out`() throws {
        #expect(try read(#"{"access_token":"a","refresh_token":"r\n"}"#).refreshToken == nil)
        #expect(try read(#"{"access_token":"a","refresh_token":""}"#).refreshToken == nil)
    }

    // MARK: errors

    /// RFC 6749 § 5.2, and the many who send it with status 200.
    @Test(arguments: [200, 400, 401, 403, 500])
    func `an error is one whatever the status`(_ status: Int) {
        #expect(
            fault(#"{"error":"invalid_grant","access_token":"a"}"#, status: status) == .refused(error: "invalid_grant"))
        #expect(
            fault("error=bad_verification_code&error_description=x", status: status)
                == .refused(error: "bad_verification_code"))
    }

    @Test(arguments: [
        "\"Invalid Grant\"", "\"INVALID\"", "\"invalid grant\"", "\"eyJhbGciOiJub25lIn0.e30.\"",
        "\"code abc was used\"", "\"a\\nb\"",
        "true", "1", "{}", "{\"message\":\"x\"}", "[]", "[\"invalid_grant\"]", "\"é\"", "\"a1b2c3\"", "\"sk.live\"",
        "\" invalid_grant\"",
        "\"" + String(repeating: "a", count: 65) + "\"",
    ])
    func `the text of an error is carried only where it is a plain code in lower case`(_ written: String) {
        #expect(fault(#"{"error":\#(written)}"#, status: 400) == .refused(error: nil))
    }

    @Test(arguments: [100, 199, 300, 301, 302, 304, 400, 401, 404, 429, 500, 503, 0, -1])
    func `a token under another status than success is not believed`(_ status: Int) {
        #expect(fault(#"{"access_token":"a"}"#, status: status) == .status(status))
    }

    @Test(arguments: [
        "", " ", "{}", "[]", "null", "\"access_token=a\"", "5", "[{\"access_token\":\"a\"}]",
        "<html><body>access_token=a</body></html>",
        "<?xml version=\"1.0\"?><access_token>a</access_token>", "{\"access_token\":\"a\"", "{\"access_token\":\"a\"}}",
        "access_token",
        "access_token=", "ACCESS_TOKEN=a", "access_token=a b", "access_token=a&access_token=b",
        "access_token=%", "access_token=a%", "access_token=%4", "access_token=\u{E9}", "access_token=a\u{FFFD}",
        "access_token=%FF", "access_token=a\nb=c", "Error: access_token=a", "\0", "a=\0",
        "{\"access_token\":\"a\",\"x\":\"b=c\"", "<a href=x>access_token=a",
        "undefined", "token=a",
    ])
    func `what is neither an error nor a token response is neither`(_ body: String) {
        #expect(fault(body) == .noTokenResponse)
    }

    @Test func `bytes that are no text are no token response`() {
        for body in [[0xFF, 0xFE], [0x1F, 0x8B, 0x08], [UInt8](repeating: 0, count: 100)] as [[UInt8]] {
            #expect(throws: TokenResponse.Fault.noTokenResponse) {
                try TokenResponse(ProviderResponse(status: 200, body: body), shape: .init(), now: TestTime.now)
            }
        }
    }

    // MARK: where the catalog says

    @Test func `members are found where the catalog says`() throws {
        let shape = try Entry.profile(
            """
            response:
              accessToken: /authed_user/access_token
              refreshToken: /authed_user/refresh_token
              tokenType: /authed_user/kind
              expiresIn: /authed_user/expires_in
              scope: /authed_user/scopes
              idToken: /ids/0
            """
        ).response
        let tokens = try read(
            #"{"access_token":"bot","authed_user":{"access_token":"user","refresh_token":"r","kind":"user","expires_in":"60","scopes":["a"]},"ids":["i"]}"#,
            shape: shape)
        #expect(tokens.accessToken.expose { $0 } == "user")
        #expect(tokens.refreshToken?.expose { $0 } == "r")
        #expect(tokens.tokenType == "user")
        #expect(tokens.expiresAt == TestTime.now.adding(seconds: 60))
        #expect(tokens.scope == "a")
        #expect(tokens.idToken?.expose { $0 } == "i")
        #expect(fault(#"{"access_token":"bot"}"#, shape: shape) == .noTokenResponse)
    }

    @Test func `an error is found where the catalog says`() throws {
        let shape = try Entry.profile("response: { error: /fault/code }").response
        #expect(fault(#"{"access_token":"a","fault":{"code":"bad"}}"#, shape: shape) == .refused(error: "bad"))
        #expect(fault(#"{"error":"other"}"#, shape: shape) == .noTokenResponse)
    }

    @Test(arguments: [
        #"{"ok":false,"access_token":"a"}"#, #"{"access_token":"a"}"#, #"{"ok":null,"access_token":"a"}"#,
        #"{"ok":"true","access_token":"a"}"#,
        #"{"ok":1,"access_token":"a"}"#, #"{"ok":[true],"access_token":"a"}"#, "ok=true&access_token=a",
    ])
    func `an answer in which the condition does not hold is a failure`(_ body: String) throws {
        let shape = try Entry.profile("response: { failureUnless: { pointer: /ok, equals: true } }").response
        #expect(fault(body, shape: shape) == .refused(error: nil))
        #expect(try read(#"{"ok":true,"access_token":"a"}"#, shape: shape).accessToken.expose { $0 } == "a")
    }

    @Test func `the error's code is told before the condition`() throws {
        let shape = try Entry.profile("response: { failureUnless: { pointer: /ok, equals: true } }").response
        #expect(fault(#"{"ok":false,"error":"invalid_code"}"#, shape: shape) == .refused(error: "invalid_code"))
    }

    private func read(
        _ body: String, status: Int = 200, headers: [(name: String, value: String)] = [],
        shape: OAuthProfile.ResponseShape = .init()
    ) throws(TokenResponse.Fault) -> TokenResponse {
        let response = ProviderResponse(status: status, headers: headers, body: Array(body.utf8))
        return try TokenResponse(response, shape: shape, now: TestTime.now)
    }

    private func fault(_ body: String, status: Int = 200, shape: OAuthProfile.ResponseShape = .init()) -> TokenResponse
        .Fault?
    {
        do throws(TokenResponse.Fault) {
            _ = try read(body, status: status, shape: shape)
            return nil
        } catch {
            return error
        }
    }
}
