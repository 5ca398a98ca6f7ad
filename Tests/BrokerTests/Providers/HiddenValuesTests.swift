import Formats
import Foundation
import Secrets
import Testing
import Transport

@testable import Broker

/// A provider may repeat what it was sent: nobody is told that.
@Suite struct HiddenValuesTests {
    private func hiding(_ secrets: String...) -> HiddenValues {
        var hidden = HiddenValues()
        for secret in secrets { hidden.add(ClientSecret(secret)) }
        return hidden
    }

    @Test(arguments: [
        ("The code abc was used", "The code abc was used"),
        ("The code 4/0Ab+c=dx-e was used", "The code [hidden] was used"),
        ("code=4/0Ab+c=dx-e", "[hidden]"),
        ("4/0Ab+c=dx-e\u{301}", "[hidden]\u{301}"),
        ("secret is s3cret:/+ &%=!", "secret is [hidden]!"),
        ("bad token eyJhbGciOiJIUzI1NiJ9", "bad token [hidden]"),
        ("unsupported_authorization_code", "unsupported_authorization_code"),
        (String(repeating: "a", count: 32), "[hidden]"),
        ("unmet_authentication_requirements", "unmet_authentication_requirements"),
        ("", ""), ("äöü 1", "äöü 1"),
    ])
    func `an error that repeats a secret or looks like one is not repeated`(_ error: String, _ shown: String) {
        let text = hiding("4/0Ab+c=dx-e", "s3cret:/+ &%=").redacted(error)
        #expect(Array(text.utf8) == Array(shown.utf8))
    }

    /// As password generators make them: with symbols every few letters.
    @Test(arguments: [
        "s3c!r3t#p4s$w0r%d&x9y", "Xk9!f2#Qz7", "abc!def#ghi$jkl", "ü!ö?ä-ß#é", "a b c d e f", "pass wörd!",
    ])
    func `a secret of any alphabet is hidden whole`(_ secret: String) {
        let text = hiding(secret).redacted("it was (\(secret)), they said")
        #expect(text == "it was ([hidden]), they said")
    }

    @Test(arguments: ["AbCdEfGhIjKlMnOpQrStUvWxYz", "Abc!Def#Ghi$Jkl", "Xk9/f2+Qz7 ab"])
    func `a secret in another spelling is hidden`(_ secret: String) {
        let hidden = hiding(secret)
        let bytes = secret.utf8.map { String(format: "%%%02x", $0) }.joined()
        for spelling in [
            secret.lowercased(), secret.uppercased(), Percent.encode(secret), Percent.encode(secret.lowercased()),
            bytes,
            secret.replacing(" ", with: "+"),
        ] {
            #expect(hidden.redacted("code \(spelling) expired") == "code [hidden] expired", "\(spelling)")
        }
    }

    @Test func `a secret that is cut in front or behind is hidden`() {
        let hidden = hiding("AbCdEfGhIjKlMnOpQrStUvWxYz")
        for length in 8...26 {
            #expect(hidden.redacted("it was \("AbCdEfGhIjKlMnOpQrStUvWxYz".prefix(length))…") == "it was [hidden]…")
            #expect(hidden.redacted("it was …\("AbCdEfGhIjKlMnOpQrStUvWxYz".suffix(length))") == "it was …[hidden]")
        }
    }

    @Test func `a secret that is longer than what is looked at is hidden too`() {
        let secret = String(repeating: "-abcdefg", count: 500)
        #expect(!hiding(secret).redacted("it was \(secret)").contains("abcdefg"))
    }

    @Test(arguments: 380...420) func `nothing is left of a secret at the end of what is shown`(_ before: Int) {
        let text = hiding("Qz7hJkLmNpRsTuVwXyZ").redacted(
            String(repeating: "y ", count: before / 2) + "Qz7hJkLmNpRsTuVwXyZ")
        #expect(!text.contains("Q"))
        #expect(text.utf8.count <= 400 + "[hidden]…".utf8.count)
    }

    @Test func `the words of the protocols stay, also where a secret has them in it`() {
        let hidden = hiding("client_secret-17", "access_token.4711", "invalid_grant")
        #expect(hidden.redacted("client_secret or access_token missing") == "client_secret or access_token missing")
        #expect(hidden.redacted("client_secret-17 is wrong") == "[hidden] is wrong")
        #expect(hidden.code("invalid_grant") == "invalid_grant")
    }

    @Test(
        arguments: [
            ("hunter_two_is_it", nil), ("is_hunter_two_it", nil), ("HUNTER_TWO", nil), ("eyJ0.eyJ1.c2ln", nil),
            ("a1b2c3d4e5f6a7b8", nil), ("not a code", nil), ("short_of_it", "short_of_it"),
            ("user.cancelled", "user.cancelled"),
            ("AADSTS65004", "AADSTS65004"), ("insufficient_user_authentication", "insufficient_user_authentication"),
        ] as [(String, String?)])
    func `a code that has a secret in it or looks like one is none`(_ text: String, _ code: String?) {
        #expect(hiding("hunter_two").code(text) == code)
    }

    @Test func `an issuer is shown whatever its length, but for secrets in it`() {
        let hidden = hiding("hunter_two")
        let issuer = "https://login.example/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"
        #expect(hidden.redacted(issuer: issuer) == issuer)
        #expect(hidden.redacted(issuer: issuer + "?Hunter_Two") == issuer + "?[hidden]")
        #expect(hidden.redacted(issuer: "eyJ0.eyJ1.c2lnc2ln") == "[hidden]")
    }

    @Test func `callers are told known codes alone`() {
        #expect(ProviderText.known("invalid_client") == "invalid_client")
        #expect(ProviderText.known("hunter_two") == nil)
        #expect(ProviderText.known(nil) == nil)
    }

    // MARK: what was sent

    @Test func `what a request sent is known, but for what is no secret`() {
        var form = TransportRequest(method: .post, url: "https://a.example/token?key=in-query")
        form.body = Array("grant_type=authorization_code&code=c%2Fd&client_id=me&client_secret=s+t".utf8)
        #expect(form.sentValues == ["in-query", "c/d", "s t"])
        form.body = Array(#"{"code":"c/d","client_id":"me","refresh_token":"r"}"#.utf8)
        #expect(Set(form.sentValues) == ["in-query", "c/d", "r"])
    }

    @Test(arguments: ["basic", "post"])
    func `the client's secret and a token in a header are known, however they are sent`(_ method: String) throws {
        let client = Client(id: "client 1", secret: ClientSecret("s3c!r3t#p4s$w0r%d"))
        var request = FormRequest(url: "https://example.com/par")
        request.authenticate(
            as: client, by: try Entry.profile("clientAuthentication: \(method)").clientAuthentication,
            at: ProofContext(audience: nil, now: TestTime.now))
        let basic = request.http.headers.first { $0.name == "Authorization" }?.value.dropFirst("Basic ".count)
        let hidden = HiddenValues(in: request.http, of: client)
        #expect(hidden.redacted("not s3c!r3t#p4s$w0r%d") == "not [hidden]")
        #expect(hidden.redacted("not s3c%21r3t%23p4s%24w0r%25d") == "not [hidden]")
        if let basic { #expect(hidden.redacted("not \(basic)") == "not [hidden]") }

        request.set(header: "Authorization", "Bearer some-token-x")
        #expect(HiddenValues(in: request.http, of: client).redacted("no some-token-x") == "no [hidden]")
    }

    @Test func `long secrets and texts cost time in proportion`() {
        // Quadratic work over these would not end: ten secrets of 12 KiB against a text of a megabyte.
        var hidden = HiddenValues()
        for number in 0..<10 { hidden.add(ClientSecret(String(repeating: "a\(number)%", count: 4096))) }
        #expect(hidden.redacted(String(repeating: "%61", count: 350_000)).utf8.count <= 403)
    }
}
