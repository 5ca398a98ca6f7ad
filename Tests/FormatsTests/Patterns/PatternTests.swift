import Testing

@testable import Formats

@Suite struct PatternTests {
    private static let subdomain = "^[a-z0-9][a-z0-9-]{0,62}$"

    @Test(arguments: ["a", "acme", "acme-1", "0", String(repeating: "a", count: 63)])
    func `a value that matches whole is accepted`(_ value: String) throws {
        #expect(try pattern(Self.subdomain).matches(value))
    }

    @Test(arguments: [
        "", "-a", "Acme", "acme.", "acme/", "acme.evil.example", "a b", " acme", String(repeating: "a", count: 64),
        "acme%2f",
        "acme@", "acme:1", "acme#", "acme?",
    ])
    func `a value that does not match is refused`(_ value: String) throws {
        #expect(try !pattern(Self.subdomain).matches(value))
    }

    /// In many dialects `$` also matches before a line end.
    @Test(arguments: [
        "acme\n", "acme\r", "acme\r\n", "\nacme", "acme\nacme", "evil.example\nacme", "acme\u{2028}", "acme\u{85}",
        "acme\0",
    ])
    func `a line end does not hide what is after it`(_ value: String) throws {
        #expect(try !pattern(Self.subdomain).matches(value))
        #expect(try !pattern("^.+$").matches(value + "\n"))
    }

    @Test(arguments: ["[a-z]+", "acme", "evil|acme", "^a|e$", "(?:)"])
    func `a pattern without anchors matches whole all the same`(_ text: String) throws {
        #expect(try !pattern(text).matches("acme/e"))
        #expect(try !pattern(text).matches("x-acme"))
    }

    @Test(arguments: ["\u{661}", "\u{FF11}", "\u{6F1}", "1\u{661}", "\u{B2}"])
    func `a digit is one of ASCII`(_ value: String) throws {
        #expect(try !pattern("^\\d+$").matches(value))
        #expect(try !pattern("^[0-9]+$").matches(value))
    }

    @Test(arguments: ["\u{E9}", "\u{430}", "\u{FF41}", "a\u{E9}", "\u{17F}"])
    func `a letter is one of ASCII`(_ value: String) throws {
        #expect(try !pattern("^\\w+$").matches(value))
        #expect(try !pattern("^[a-z]+$").matches(value))
    }

    @Test(arguments: [("[[:digit:]]", "\u{661}"), ("[[:alpha:]]", "\u{430}"), ("[[:alnum:]]", "\u{E9}")])
    func `a POSIX class means ASCII, or makes no pattern`(_ text: String, _ value: String) {
        #expect((try? Pattern(text))?.matches(value) != true)
    }

    @Test(arguments: ["a\u{301}", "acme\u{20DD}", "a\u{200D}", "a\u{FE0F}", "a\u{E0020}"])
    func `a combining mark does not hide in a letter`(_ value: String) throws {
        #expect(try !pattern(Self.subdomain).matches(value))
        #expect(try !pattern("^.$").matches(value))
    }

    @Test func `a value has at most 2048 bytes`() throws {
        #expect(try pattern("^a*$").matches(String(repeating: "a", count: 2048)))
        #expect(try !pattern("^a*$").matches(String(repeating: "a", count: 2049)))
        #expect(try !pattern("^.*$").matches(String(repeating: "é", count: 129)))
    }

    @Test(arguments: [
        ("[", PatternFault.openClass), ("[a", .openClass), ("[a-", .openClass), ("[]", .emptyClass),
        ("[^]", .emptyClass),
        ("(", .unbalancedParenthesis), ("a)", .unbalancedParenthesis), ("((a)", .unbalancedParenthesis),
        ("a{2,1}", .repetition), ("a{", .repetition), ("a{x}", .repetition), ("a{,2}", .repetition), ("{", .repetition),
        ("a{100000}", .repetition), ("*", .nothingToRepeat), ("a|+", .nothingToRepeat), ("a**", .nothingToRepeat),
        ("a{2}{3}", .nothingToRepeat), ("^*", .nothingToRepeat), ("(*a)", .nothingToRepeat), ("\\", .unknownEscape),
        ("\\q", .unknownEscape), ("\\e", .unknownEscape), ("\\x41", .unknownEscape), ("[z-a]", .range),
        ("[a-\\d]", .range), ("[\\w-a]", .range),
        ("é", .notASCII), ("a\nb", .notASCII), ("a^b", .anchorInside), ("a$b", .anchorInside), ("(^a)+", .anchorInside),
        ("a*^b", .anchorInside), ("(a$)*", .anchorInside),
    ])
    func `a text that is no regular expression makes no pattern`(_ text: String, _ fault: PatternFault) {
        #expect(throws: fault) { try Pattern(text) }
    }

    /// Syntax that an automaton cannot follow, or that means one thing here and another there.
    @Test(arguments: [
        ("(?=a)a", PatternFault.Feature.lookahead), ("a(?!b)", .lookahead), ("(?<=a)b", .lookbehind),
        ("(?<!a)b", .lookbehind), ("(a)\\1", .backreferences), ("(?<n>a)\\k<n>", .namedGroups),
        ("(?P<n>a)", .namedGroups),
        ("(?>a)", .atomicGroups), ("(?i)a", .flags), ("(?#a)", .flags), ("(?R)", .flags), ("a*?", .lazyRepetition),
        ("a{2}?", .lazyRepetition), ("a++", .possessiveRepetition), ("\\ba", .wordBoundaries),
        ("\\Aa", .wordBoundaries),
        ("\\p{L}", .characterProperties), ("[[:digit:]]", .posixClasses), ("[a&&b]", .setOperations),
        ("[a--b]", .setOperations), ("[a[b]]", .setOperations),
    ])
    func `a part of another dialect is refused by name`(_ text: String, _ feature: PatternFault.Feature) {
        #expect(throws: PatternFault.unsupported(feature)) { try Pattern(text) }
        #expect(PatternFault.unsupported(feature).wanted == "a regular expression without \(feature.rawValue)")
    }

    @Test(arguments: [
        "(a{1,1000}){1,1000}", "((((a{99}){99}){99}){99}){99}", "a{5000}", "(a|b){3000}", "a{99999}{0}",
        String(repeating: "a?", count: 400),
        String(repeating: "(", count: 60) + "a" + String(repeating: ")", count: 60),
        String(repeating: "a", count: 2049),
    ])
    func `a pattern that needs too much of anything is refused`(_ text: String) {
        #expect((try? Pattern(text)) == nil)
    }

    private func pattern(_ text: String) throws -> Pattern { try Pattern(text) }
}
