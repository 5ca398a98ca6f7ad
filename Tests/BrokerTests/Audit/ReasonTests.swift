import Formats
import Secrets
import Testing
import Transport

@testable import Broker

/// The reasons that operators are told: others' words in them act on nothing and are cut, and no secret is in them.
@Suite struct ReasonTests {
    @Test func `what others wrote is quoted, and nothing in it acts`() {
        let foreign = "a\"b\u{1B}[31m\r\nc\u{202E}d\u{0}"
        let reason: Reason = "it said \(quoted: foreign) in \(2) words"
        #expect(
            reason.description == #"it said "a\"b\u{1B}[31m\u{D}\u{A}c\u{202E}d\u{0}" in 2 words"#)
    }

    /// By characters, a quotation mark with a mark upon it would be another one.
    @Test func `a quotation mark under a combining mark ends nothing`() {
        let reason: Reason = "\(quoted: "a\"\u{301}b")"
        #expect(Array(reason.description.utf8) == Array("\"a\\\"\u{301}b\"".utf8))
    }

    @Test(arguments: ["x", "ü", "e\u{301}", "\u{10FFFF}", "\u{1B}"])
    func `what others wrote is cut`(_ part: String) {
        let reason: Reason = "\(quoted: String(repeating: part, count: 100_000))"
        #expect(reason.description.hasSuffix("…\""))
        #expect(reason.description.utf8.count <= 200 * 6 + 5)
    }

    @Test func `a cause of every kind has words`() throws {
        let key = try #require(KeyRing.KeyID("k1"))
        let reasons =
            TransportError.allCases.map(\.reason) + [
                StoreError.closed.reason, StoreError.unavailable("13: full").reason,
            ]
            + [
                OpenError.unknownKey(key).reason(nil), OpenError.notAuthentic.reason(key),
                OpenError.malformed.reason(nil),
            ]
        for reason in reasons {
            #expect(!reason.description.isEmpty)
            // Swift's own words are nobody's.
            #expect(reason.description.wholeMatch(of: /(TLS|[a-z])[a-zA-Z0-9 ,:;."'()\/-]*/) != nil, "\(reason)")
        }
        #expect(Set(reasons.map(\.description)).count == reasons.count)
    }

    // MARK: secrets

    @Test(arguments: [
        ("The code abc was used", "The code abc was used"),
        ("The code 4/0Ab+c=dx-e was used", "The code [hidden] was used"),
        ("code=4/0Ab+c=dx-e", "[hidden]"),
        ("4/0Ab+c=dx-e\u{301}", "[hidden]\u{301}"),
        ("secret is s3cret:/+ &%=", "secret is [hidden]:/+ &%="),
        ("bad token eyJhbGciOiJIUzI1NiJ9", "bad token [hidden]"),
        ("unsupported_authorization_code", "unsupported_authorization_code"),
        (String(repeating: "a", count: 32), "[hidden]"),
        ("", ""), ("äöü 1", "äöü 1"),
    ])
    func `an error that repeats a secret or looks like one is not repeated`(_ error: String, _ shown: String) {
        let text = error.hiding(["4/0Ab+c=dx-e", "s3cret:/+ &%="])
        #expect(Array(text.utf8) == Array(shown.utf8))
    }

    @Test func `a secret that is longer than what is looked at is hidden too`() {
        let secret = String(repeating: "-abcdefg", count: 500)
        #expect(!"it was \(secret)".hiding([secret]).contains("abcdefg"))
    }

    @Test func `what a token request sent is known, but for what is no secret`() {
        var form = TransportRequest(method: .post, url: "https://a.example/token?key=in-query")
        form.body = Array("grant_type=authorization_code&code=c%2Fd&client_id=me&client_secret=s+t".utf8)
        #expect(form.sentValues == ["in-query", "c/d", "s t"])
        form.body = Array(#"{"code":"c/d","client_id":"me","refresh_token":"r"}"#.utf8)
        #expect(Set(form.sentValues) == ["in-query", "c/d", "r"])
    }
}
