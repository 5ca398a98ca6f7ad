import Catalog
import StrictYAML
import Testing

@testable import Formats

/// CWE-1333: no pattern and no value makes a match slow. Optimised, the worst of these takes half a millisecond.
@Suite struct PatternTimeTests {
    private static let label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"

    /// Patterns that a backtracking matcher needs seconds or years for, with values that make it.
    @Test(arguments: [
        ("^(?:common|[0-9A-Fa-f]{8}|(?:\(label)\\.)+[a-z][a-z0-9-]{0,61}[a-z0-9])$", "aa."),
        ("^\(label)(?:\\.\(label))+(?::[0-9]{1,5})?$", "a."), ("^(a+)+$", "a"), ("^(a|aa)+$", "a"), ("^(a*)*$", "a"),
        ("^(.*a){20}$", "a"), ("^(?:(?:a{0,30}){0,30})*$", "a"), ("^(a|b)*a(a|b){15}$", "ab"),
        ("^.{0,40}@.{0,40}@.{0,40}@.*$", "@"), ("^(?:.*a.{0,200})*b{1,3}$", "a"), ("^(x+x+)+y$", "x"),
        ("^(?:[a-z]{1,60}\\.){1,60}$", "aa."), ("^" + String(repeating: "a?", count: 100) + "a*$", "a"),
        ("^(?:ab?|b)*(?:ab?|b)*(?:ab?|b)*(?:ab?|b)*$", "ab"), ("^(([a-z])+.)+[A-Z]([a-z])+$", "a"),
    ])
    func `the longest value takes no longer than its bytes`(_ text: String, _ unit: String) throws {
        let pattern = try Pattern(text)
        let value = String(String(repeating: unit, count: 2048).prefix(2047)) + "!"
        let took = ContinuousClock().measure { _ = pattern.matches(value) }
        #expect(took < .milliseconds(500))
    }

    @Test func `length and bytes come first`() throws {
        let pattern = try Pattern("^(a+)+$")
        let values = [String(repeating: "a", count: 1_000_000), "a" + String(repeating: "\u{301}", count: 1000)]
        let took = ContinuousClock().measure {
            for value in values { #expect(!pattern.matches(value)) }
        }
        #expect(took < .milliseconds(500))
    }

    /// The catalog's own, whatever a caller sends.
    @Test func `no pattern of the built-in catalog is slow`() {
        let values = ["a", "aa.", "a-", "0", "https://accounts.zoho.", "-", "."].map {
            String(String(repeating: $0, count: 2048).prefix(2047)) + " "
        }
        let patterns = BuiltInPatterns.all
        let took = ContinuousClock().measure {
            for pattern in patterns { for value in values { #expect(!pattern.matches(value)) } }
        }
        #expect(took < .milliseconds(100 * patterns.count))
    }
}

enum BuiltInPatterns {
    /// Each once.
    static let all: [Pattern] = {
        let profiles = Catalog(allowInsecure: false, findings: Findings()).sourceTypes.compactMap(\.oauth)
        var patterns: [String: Pattern] = [:]
        for profile in profiles {
            let extras =
                profile.extras.callback.map(\.pattern) + profile.extras.token.map(\.pattern)
                + (profile.afterConnecting?.extras.map(\.pattern) ?? [])
            let all = profile.parameters.map(\.pattern) + [profile.addresses.tokenOrigin?.pattern].compactMap(\.self)
            for pattern in all + extras.compactMap(\.self) { patterns[pattern.text] = pattern }
        }
        return patterns.values.sorted { $0.text < $1.text }
    }()
}
