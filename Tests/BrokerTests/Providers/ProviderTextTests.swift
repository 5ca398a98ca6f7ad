import Testing

@testable import Broker

@Suite struct ProviderTextTests {
    /// RFC 6749 § 4.1.2.1, narrowed to what codes look like.
    @Test(arguments: [
        "access_denied", "invalid_scope", "AADSTS65004", "user.cancelled", "a-b", String(repeating: "a", count: 64),
    ])
    func `a code is letters, digits, underscores, hyphens and dots`(_ text: String) {
        #expect(ProviderText.code(text) == text)
    }

    @Test(arguments: [
        "", "access denied", "<script>", "a\n", "a\0", "é", "a\u{301}", "a\"b", "a&b", "a/b",
        String(repeating: "a", count: 65),
    ])
    func `anything else is no code`(_ text: String) {
        #expect(ProviderText.code(text) == nil)
    }

    @Test func `a sentence is kept as it is`() {
        #expect(ProviderText.sentence("The user said „no“ – <b>twice</b>.") == "The user said „no“ – <b>twice</b>.")
    }

    @Test func `a sentence is cut after 200 characters`() {
        #expect(ProviderText.sentence(String(repeating: "x", count: 5000)) == String(repeating: "x", count: 200))
        #expect(ProviderText.sentence("e" + String(repeating: "\u{301}", count: 5000)).unicodeScalars.count <= 200)
    }

    @Test(arguments: ["\n", "\r", "\r\n", "\t", "\0", "\u{1B}", "\u{7F}", "\u{85}", "\u{2028}", "\u{2029}"])
    func `a sentence has one line`(_ end: String) {
        let sentence = ProviderText.sentence("first\(end)second")
        #expect(sentence.split(separator: " ") == ["first", "second"])
    }

    /// These turn the direction of the text or are not seen at all.
    @Test(arguments: ["\u{202E}", "\u{200B}", "\u{2066}", "\u{FEFF}", "\u{AD}", "\u{E0041}"])
    func `a sentence has no hidden characters`(_ hidden: String) {
        #expect(
            !ProviderText.sentence("first\(hidden)second").unicodeScalars.contains(hidden.unicodeScalars.first ?? " "))
    }

    @Test func `a sentence has no white space around it`() {
        #expect(ProviderText.sentence("  \n said so \t") == "said so")
    }
}
