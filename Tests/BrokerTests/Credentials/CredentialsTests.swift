import Catalog
import Formats
import Foundation
import Secrets
import Testing
import Transport

@testable import Broker

@Suite struct CredentialsTests {
    // MARK: warnings

    @Test(arguments: [
        ("refreshToken: expected", #""x":1"#, true), ("refreshToken: expected", #""refresh_token":"r""#, false),
        ("refreshToken: optional", #""x":1"#, false), ("refreshToken: never", #""x":1"#, false),
        ("alwaysScopes: [offline_access]", #""x":1"#, true), ("scopes: [read]", #""x":1"#, false),
    ])
    func `a refresh token that was expected is missed`(_ oauth: String, _ member: String, _ warned: Bool) throws {
        #expect(try granted(oauth, member).warnings.contains(.missingRefreshToken) == warned)
    }

    /// RFC 6749 § 5.1: the scope is left out where it is what was asked for.
    @Test(arguments: [
        (["a", "b"], #""x":1"#, false), (["a", "b"], #""scope":"a b""#, false),
        (["a", "b"], #""scope":"b a c""#, false),
        (["a", "b"], #""scope":"a,b""#, false), (["a", "b"], #""scope":["b","a"]"#, false),
        (["a", "b"], #""scope":"a""#, true),
        (["a", "b"], #""scope":"ab""#, true), (["a"], #""scope":"A""#, false), (["a", "b"], #""scope":[]"#, true),
        (["a"], #""scope":"""#, false), (["a"], #""scope":" ""#, false),
        ([], #""scope":"x""#, false),
        (["a", "offline_access"], #""scope":"a""#, false), (["a", "refresh_token"], #""scope":"a""#, false),
        (["a", "offline_access"], #""scope":"offline_access""#, true), (["a", "b"], #""scope":"a\nb""#, false),
    ])
    func `a scope that was asked for and not granted is missed`(_ asked: [String], _ member: String, _ warned: Bool)
        throws
    {
        #expect(try granted("", member, scopes: asked).warnings.contains(.scopeReduced) == warned)
    }

    @Test(arguments: [
        (#""expires_in":60"#, false), (#""x":1"#, true), (#""expires_in":-1"#, true), (#""expires_in":"soon""#, true),
    ])
    func `an expiry that is unknown is told`(_ member: String, _ warned: Bool) throws {
        #expect(try granted("", member).warnings.contains(.expiryUnknown) == warned)
    }

    // MARK: extras

    @Test func `extras come from the callback and from the token response`() throws {
        let credentials = try granted(
            "extras: { callback: [realmId, region], token: { instanceUrl: /instance_url, team: /team/id, whole: /team, none: /none, null: /nil } }",
            #""instance_url":"https://x","team":{"id":5},"nil":null"#, callback: "code=c&state=s&realmId=12&secret=x")
        #expect(
            credentials.plainExtras == [
                "realmId": .string("12"), "instanceUrl": .string("https://x"), "team": .number(5),
                "whole": .object(["id": .number(5)]),
            ])
    }

    @Test func `without extras there are none`() throws {
        #expect(try granted("", #""instance_url":"x""#, callback: "realmId=12").plainExtras == [:])
    }

    /// RFC 6749 § 3.1: a parameter must not come twice.
    @Test(arguments: [
        "realmId=1&realmId=2", "realmId=", "realmId", "RealmId=1",
    ])
    func `an extra that is repeated or empty is left out`(_ callback: String) throws {
        #expect(try granted("extras: { callback: [realmId] }", #""x":1"#, callback: callback).plainExtras == [:])
    }

    /// CR LF ends a header or a log line, ESC moves a terminal's cursor, and U+202E turns text around.
    @Test(arguments: [
        "realmId=a%0D%0Ab", "realmId=%1B%5B2J", "realmId=a%00", "realmId=%7F", "realmId=%C2%85", "realmId=%E2%80%A8",
        "realmId=%E2%80%AEevil", "realmId=%EF%BB%BFa", "realmId=\(String(repeating: "x", count: 2049))",
        "realmId=\(String(repeating: "%C3%A9", count: 1025))",
    ])
    func `an extra that is no line of printable text is left out and told`(_ callback: String) throws {
        let credentials = try granted("extras: { callback: [realmId] }", #""expires_in":60"#, callback: callback)
        #expect(credentials.plainExtras == [:] && credentials.warnings == [.extraRefused])
    }

    @Test(arguments: [
        "a b", "M%C3%BCller GmbH", "%E6%9D%B1%E4%BA%AC", "%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB", "%22%27%3C%3E",
    ])
    func `a line of printable text is kept as it is`(_ value: String) throws {
        let credentials = try granted("extras: { callback: [a] }", #""expires_in":60"#, callback: "a=\(value)")
        #expect(credentials.plainExtras == ["a": .string(Percent.pairs("a=\(value)")?.first?.value ?? "")])
        #expect(credentials.warnings == [])
    }

    /// Anyone may bring a callback: a host in it is not believed because it came.
    @Test(arguments: [
        ("sharefile.com", true), ("sharefile.eu", true), ("evil.example", false), ("sharefile.com.evil.example", false),
        ("sharefile.com%0D%0A", false), ("", nil),
    ])
    func `an extra with a pattern matches it whole`(_ value: String, _ kept: Bool?) throws {
        let credentials = try granted(
            #"extras: { callback: { apicp: { pattern: "^sharefile\\.(?:com|eu)$" }, realmId: {} } }"#,
            #""expires_in":60"#, callback: "apicp=\(value)&realmId=12")
        #expect(credentials.plainExtras["apicp"] == (kept == true ? .string(value) : nil))
        #expect(credentials.plainExtras["realmId"] == .string("12"))
        #expect(credentials.warnings == (kept == false ? [.extraRefused] : []))
    }

    @Test(arguments: [
        (#""https://a.example.com""#, true), (#""https://evil.example""#, false), ("5", false), ("{}", false),
        (#"["https://a.example.com"]"#, false),
    ])
    func `a member of the answer with a pattern matches it whole`(_ member: String, _ kept: Bool) throws {
        let credentials = try granted(
            #"extras: { token: { base: { pointer: /base, pattern: "^https://[a-z]+\\.example\\.com$" } } }"#,
            #""expires_in":60,"base":\#(member)"#)
        #expect((credentials.extras["base"] != nil) == kept)
        #expect(credentials.warnings == (kept ? [] : [.extraRefused]))
    }

    @Test(arguments: [
        ("5", true), ("true", true), (#"{"a":[1,"b"]}"#, true), (#"{"a":"b\nc"}"#, false),
        (#"["a","\u001b[2J"]"#, false),
        (#"{"a\r\n":1}"#, false), (#"[["\u202e"]]"#, false),
        ("[\((0..<700).map(String.init).joined(separator: ","))]", false),
    ])
    func `every text inside an extra is looked at`(_ member: String, _ kept: Bool) throws {
        let credentials = try granted(
            "extras: { token: { it: /it, fine: /fine } }", #""expires_in":60,"fine":"f","it":\#(member)"#)
        #expect((credentials.extras["it"] != nil) == kept)
        #expect(credentials.plainExtras["fine"] == .string("f"))
        #expect(credentials.warnings == (kept ? [] : [.extraRefused]))
    }

    @Test func `a number is matched as it is written`() throws {
        let oauth = #"extras: { token: { id: { pointer: /id, pattern: "^[0-9]{1,8}$" } } }"#
        #expect(try granted(oauth, #""id":12345"#).plainExtras == ["id": .number(12345)])
        #expect(try granted(oauth, #""id":-1"#).plainExtras == [:])
    }

    @Test func `what the call after connecting tells is looked at as well`() throws {
        var credentials = try granted("", #""expires_in":60"#)
        var connected = KeptExtras()
        connected.keep(.string("a"), as: "good", nil)
        connected.keep(.string("a\nb"), as: "bad", nil)
        credentials.add(.kept(connected), dpopKey: nil)
        #expect(credentials.plainExtras == ["good": .string("a")] && credentials.warnings == [.extraRefused])
    }

    // MARK: the answer

    @Test func `the answer has every member, null where there is nothing`() throws {
        let json = try json(of: granted("", #""x":1"#))
        #expect(
            json == #"""
                {"accessToken":"a","expiresAt":null,"extras":{},"idToken":null,"refreshToken":null,"scope":null,"sourceType":"example","tokenType":"Bearer","warnings":["expiry_unknown"]}
                """#)
    }

    @Test func `the answer has what was granted`() throws {
        let credentials = try granted(
            "extras: { token: { id: /id } }",
            #""refresh_token":"r","expires_in":60,"scope":"x y","id_token":"i","token_type":"bearer","id":9007199254740991"#
        )
        #expect(
            try json(of: credentials) == #"""
                {"accessToken":"a","expiresAt":1790000060000,"extras":{"id":9007199254740991},"idToken":"i","refreshToken":"r","scope":"x y","sourceType":"example","tokenType":"Bearer","warnings":[]}
                """#)
    }

    @Test func `a slash is not escaped and a quote is`() throws {
        #expect(try json(of: granted("", #""refresh_token":"1//a\"b\\c""#)).contains(#""refreshToken":"1//a\"b\\c""#))
    }

    private func granted(
        _ oauth: String, _ member: String, scopes: [String] = [], callback: String = ""
    ) throws -> Credentials {
        let profile = try Entry.profile(oauth)
        let body = Array(#"{"access_token":"a",\#(member)}"#.utf8)
        let tokens = try TokenResponse(
            ProviderResponse(status: 200, body: body), shape: profile.response, now: TestTime.now)
        return profile.credentials(
            tokens, callback: CallbackRequest(callback.utf8, at: .legacy), asked: scopes, told: [:])
    }

    private func json(of credentials: Credentials) throws -> String {
        let id = try #require(SourceType.ID("example"))
        return try credentials.exposedJSON(sourceType: id).expose { String(decoding: $0, as: UTF8.self) }
    }
}

extension Credentials {
    fileprivate var plainExtras: [String: JSONValue] { extras.mapValues { $0.expose { $0 } } }
}
