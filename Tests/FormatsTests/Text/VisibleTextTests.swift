import Testing

@testable import Formats

@Suite struct VisibleTextTests {
    /// C0, DEL, C1, what turns the direction, what is not seen, what ends a line.
    @Test(arguments: [
        ("\u{1B}[31m", #"\u{1B}[31m"#), ("a\nb\r", #"a\u{A}b\u{D}"#), ("\u{7F}", #"\u{7F}"#),
        ("\u{9B}2J", #"\u{9B}2J"#),
        ("\u{202E}gpj", #"\u{202E}gpj"#), ("\u{2066}\u{2069}", #"\u{2066}\u{2069}"#),
        ("\u{200B}\u{FEFF}", #"\u{200B}\u{FEFF}"#),
        ("\u{2028}\u{2029}", #"\u{2028}\u{2029}"#), ("\u{E0041}", #"\u{E0041}"#), ("\u{AD}", #"\u{AD}"#),
    ])
    func `what acts on a terminal is shown`(_ text: String, _ wanted: String) {
        #expect(text.visible == wanted)
    }

    @Test(arguments: ["", "plain", "Ünïcödé 日本語 العربية", "a\\b", "e\u{301}"])
    func `what is only seen stays`(_ text: String) {
        #expect(text.visible.isExactly(text))
        #expect(text.visibleLines.isExactly(text))
        #expect(text.visibleJSON.isExactly(text))
    }

    @Test func `lines of our own stay lines`() {
        #expect("a\nb\u{1B}\r".visibleLines == "a\nb\\u{1B}\\u{D}")
    }

    @Test func `JSON stays JSON of the same meaning`() {
        let texts = ["\u{1B}\u{7F}\u{9B}\u{202E}\u{2028}", "\u{E0041}", "日本"]
        for text in texts {
            var json = JSONWriter()
            json.string(text)
            let shown = String(decoding: json.bytes, as: UTF8.self).visibleJSON
            #expect(!shown.unicodeScalars.contains { $0.isActive })
            #expect(JSONValue(json: Array(shown.utf8))?.string?.isExactly(text) == true)
        }
    }
}
