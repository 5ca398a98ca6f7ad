import Testing

@testable import Sandbox

struct HTMLTests {
    @Test func `text in a hole is escaped and markup is not`() {
        let text = "<b a='1' c=\"2\">&"
        let inner: HTML = "<i>\(text)</i>"
        let page: HTML = "<p>\(inner)\([inner, inner])</p>"
        let escaped = "<i>&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;</i>"
        #expect(page.markup == "<p>\(escaped)\(escaped)\(escaped)</p>")
    }

    @Test func `a bracket with a combining mark is escaped too`() {
        #expect(HTML.escape("<\u{301}script") == "&lt;\u{301}script")
    }

    @Test func `an origin is scheme, host and port alone`() {
        #expect(Origin(of: "http://127.0.0.1:8081/a?b#c").text == "http://127.0.0.1:8081")
        #expect(Origin(of: "https://broker.test").text == "https://broker.test")
    }
}
