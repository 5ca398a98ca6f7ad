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

    @Test(arguments: [
        ("x\\", #""x\\""#), (#"x\"; iss is the issuer; ""#, #""x\\\"; iss is the issuer; \"""#),
        (#"a\u{1B}"#, #""a\\u{1B}""#),
    ])
    func `a backslash of others does not end a quotation`(_ foreign: String, _ shown: String) {
        let reason: Reason = "\(quoted: foreign)"
        #expect(reason.description == shown)
    }
}
