import TestSupport
import Testing

@testable import Formats

/// A pattern takes what Swift's `Regex` takes, as far as that comes to an end.
@Suite struct PatternLanguageTests {
    @Test(arguments: 0..<20)
    func `patterns at random take what Regex takes`(_ seed: Int) throws {
        var random = Generator(seed: UInt64(seed))
        for _ in 0..<40 {
            let text = "^" + Self.expression(depth: 3, &random) + "$"
            let pattern = try Pattern(text)
            let regex = try Self.regex(text)
            for _ in 0..<8 {
                let length = Int.random(in: 0...6, using: &random)
                let value = String((0..<length).map { _ in "ab1-.c".randomElement(using: &random) ?? "a" })
                #expect(pattern.matches(value) == (try regex.wholeMatch(in: value) != nil), "\(text) \(value)")
            }
        }
    }

    @Test func `patterns of the built-in catalog take what Regex takes`() throws {
        var random = Generator(seed: 1)
        let samples = [
            "acme", "a", "a-b", "-a", "a-", "1234567-sb1", "acme.example.com", "acme.example.com:8443", "a.b", "a.",
            "login.salesforce.com", "test.salesforce.com", "acme.my.salesforce.com", "acme.sandbox.my.salesforce.com",
            "acme.myfreshworks.com", "acme.myshopify.com", "common", "72f988bf-86f1-41af-91ab-2d7cd011db47",
            "contoso.onmicrosoft.com", "crm", "crm4", "eu", "au", "us", "https://accounts.zoho.com",
            "https://accounts.zoho.com.au", "https://accounts.zohocloud.ca", "4620816365291273930", "sharefile.com",
            "sf-api.eu", "demo", "sandbox", "org_01ABC", "ABCDE12345", "amzn1.sellerapps.app.0bf296b5-36a6",
            "sellercentral-europe.amazon.com", "impl.workday.com", "wd5-impl.workday.com", "acme.au.deputy.com",
            "kintone.com", "nl", "1234567", "staging", "production", "https://api.example.com/scope", "emea", "cn",
            "fedramp",
            "sod", "preview", "12", "eapi.pcloud.com", "https://api.jobadder.com/v2", "icfg_1", "stores/a1", "",
        ]
        for pattern in BuiltInPatterns.all {
            let regex = try Self.regex(pattern.text)
            var taken = 0
            for sample in samples {
                for value in [sample, Self.damaged(sample, &random), Self.damaged(sample, &random)] {
                    let matches = pattern.matches(value)
                    if matches { taken += 1 }
                    #expect(matches == (try regex.wholeMatch(in: value) != nil), "\(pattern.text) \(value)")
                }
            }
            #expect(taken > 0, "\(pattern.text)")
        }
    }

    @Test(arguments: [
        ("[.-]+", "-.", "a"), ("[-a]", "-", "b"), ("[a-]", "-", "b"), ("[\\]a]", "]", "b"), ("[^\\d]", "a", "1"),
        ("\\.", ".", "a"), ("\\D\\W\\S", "a-b", "a_b"), ("\\s", " ", "a"), ("[^\\n]", "a", "\n"), ("[\\s\\S]", "a", ""),
        ("a]", "a]", "a"), ("a}", "a}", "a"),
        ("[$^(){}|*+?.]+", "$^(){}|*+?.", "a"), ("a{0}b", "b", "ab"), ("a{2,}", "aaa", "a"),
        ("(a?){3}b", "ab", "aaaab"),
        ("(?:^a|b$)", "a", "ab"), ("()", "", "a"), ("a||b", "", "ab"), ("\\/\\-\\_", "/-_", "/"), ("[a^]", "^", "b"),
        ("[\\w.-]+", "a.b-c_", "a b"), ("((a)|(b))+", "abba", "c"), (".", "~", "\u{7F}"),
    ])
    func `the syntax means what it means elsewhere`(_ text: String, _ taken: String, _ refused: String) throws {
        let pattern = try Pattern(text)
        #expect(pattern.matches(taken) && !pattern.matches(refused))
        #expect(try Self.regex(text).wholeMatch(in: taken) != nil)
    }

    private static func regex(_ text: String) throws -> Regex<AnyRegexOutput> {
        try Regex(text).asciiOnlyCharacterClasses().matchingSemantics(.unicodeScalar)
    }

    private static func damaged(_ value: String, _ random: inout Generator) -> String {
        var bytes = Array(value.utf8)
        let byte = UInt8.random(in: 0x20...0x7E, using: &random)
        guard let place = bytes.indices.randomElement(using: &random) else { return "-" }
        switch Int.random(in: 0...2, using: &random) {
        case 0: bytes[place] = byte
        case 1: bytes.insert(byte, at: place)
        default: bytes.remove(at: place)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func expression(depth: Int, _ random: inout Generator) -> String {
        let atoms = ["a", "b", ".", "[ab]", "[^a]", "\\d", "\\w", "-", "[a-c-]", "\\.", "1"]
        let inner = { (random: inout Generator) in expression(depth: depth - 1, &random) }
        switch depth == 0 ? 0 : Int.random(in: 0...8, using: &random) {
        case 3: return inner(&random) + inner(&random)
        case 4: return "(?:\(inner(&random))|\(inner(&random)))"
        case 5: return "(\(inner(&random)))" + (["*", "+", "?"].randomElement(using: &random) ?? "")
        case 6:
            let counts = ["{2}", "{1,2}", "{0,3}", "{2,}", "{0}", "{1,}"]
            return "(?:\(inner(&random)))" + (counts.randomElement(using: &random) ?? "")
        case 7: return "(\(inner(&random))|)"
        case 8: return inner(&random) + inner(&random) + inner(&random)
        default: return atoms.randomElement(using: &random) ?? "a"
        }
    }
}
