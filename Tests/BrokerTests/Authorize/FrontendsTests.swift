import Broker
import Formats
import Testing

@Suite struct FrontendsTests {
    // MARK: origins

    @Test(arguments: [
        "https://app.example.com", "http://localhost:8080", "https://[::1]", "https://*.previews.example.com",
        "https://app.*.example.com", "https://*.example.com:8443",
    ])
    func `an origin, or one with a star for a whole label, is taken`(_ text: String) {
        #expect(OriginPattern(text)?.description == text)
    }

    @Test(arguments: [
        "", "*", "https://*", "https://*.com", "https://*.com:8443", "https://*:8443", "*://app.example.com",
        "https://a*.example.com", "https://*a.example.com", "https://*.*.example.com", "https://app.example.*",
        "https://*.example.com/", "https://*.Example.com", "https://*.example.com:443", "https://**.example.com",
        "https://*.0.0.1", "https://app.*.com", "https://*..example.com", "app.example.com",
    ])
    func `what is no origin, or has a star elsewhere, is refused`(_ text: String) {
        #expect(OriginPattern(text) == nil)
    }

    @Test(arguments: [
        ("https://pr-7.previews.example.com", true), ("https://a.previews.example.com", true),
        ("https://previews.example.com", false), ("https://a.b.previews.example.com", false),
        ("http://a.previews.example.com", false), ("https://a.previews.example.com:8443", false),
        ("https://a.previews.example.com.evil.example", false), ("https://evilpreviews.example.com", false),
    ])
    func `a star stands for exactly one label`(_ text: String, _ isAllowed: Bool) throws {
        let frontend = Frontend(origins: [try #require(OriginPattern("https://*.previews.example.com"))])
        #expect(frontend.allows(try #require(Origin(text))) == isAllowed)
    }

    // MARK: return addresses

    @Test(arguments: [
        ("https://app.example.com/done?a=b", "https://app.example.com/done?a=b"),
        ("https://APP.example.com:443/", "https://app.example.com/"),
        ("com.example.app:/done", "com.example.app:/done"),
        ("com.example.app://done", "com.example.app://done"), ("example-app://callback", "example-app://callback"),
    ])
    func `a web address or one of an app's own scheme is taken`(_ text: String, _ kept: String) {
        #expect(ReturnURL(text)?.text == kept)
    }

    /// RFC 9700 § 4.11.1, and what browsers run in place of opening.
    @Test(arguments: [
        "", "/done", "//app.example.com", "javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd",
        "blob:https://app.example.com/x", "https://app.example.com/#x", "https://user@app.example.com/",
        "com.example.app:/#x", "com.example.app://user@host/", "com.example.app:", "com.example.app://", ":x", "1a:/x",
        "Com.example.app:/x", "com.example.app:/a b", "com.example.app:/\u{0}", "com.example.app:/\n",
        "com.example.app:/" + String(repeating: "a", count: 2048), "java\tscript:alert(1)", "https:",
        "mailto:a@b.example",
    ])
    func `any other return address is refused`(_ text: String) { #expect(ReturnURL(text) == nil) }

    @Test(arguments: [
        ("example-app://callback", true), ("com.example.app:/done", false), ("https://app.example.com/", false),
    ])
    func `a scheme without a dot is anybody's`(_ text: String, _ isUnowned: Bool) {
        #expect(ReturnURL(text)?.hasUnownedScheme == isUnowned)
    }
}
