import Formats
import StrictYAML
import TestSupport
import Testing

@testable import Broker
@testable import Catalog

@Suite struct BuiltInCatalogTests {
    /// Loaded once: it is large.
    private static let builtIn = {
        let findings = Findings()
        let catalog = Catalog.builtIn(findings: findings)
        return (catalog: catalog, findings: findings.lines)
    }()
    private let loaded = Self.builtIn

    @Test func `the built-in catalog loads without findings`() {
        #expect(loaded.findings == [])
        #expect(!loaded.catalog.sourceTypes.isEmpty)
    }

    @Test func `source types are sorted and found by their names`() {
        let ids = loaded.catalog.sourceTypes.map(\.id)
        #expect(ids == ids.sorted())
        for id in ids { #expect(loaded.catalog[id]?.id == id) }
    }

    @Test func `every embedded file adds source types`() {
        for (name, text) in BuiltInCatalog.texts {
            let findings = Findings()
            let top = YAMLReader(text: text, file: name, findings: findings)
            #expect(top?.section("sourceTypes")?.names.isEmpty == false)
        }
    }

    /// RFC 9700 § 2.1.1 asks for PKCE of every client; where a provider does not take it, the entry says so.
    @Test func `what has OAuth uses S256 or says that it cannot`() {
        let methods = loaded.catalog.sourceTypes.compactMap { $0.oauth?.proofKey }
        #expect(methods.allSatisfy { $0 == .s256 || $0 == .none })
        #expect(methods.count { $0 == .s256 } >= methods.count * 3 / 4)
    }

    @Test func `as many providers as are promised can be connected, each with its documentation and its registration`()
    {
        let connectable = loaded.catalog.sourceTypes.filter { $0.oauth != nil }
        #expect(connectable.count == 397 + 1, "and the servers that are found")
        #expect(connectable.filter { $0.documentation?.hasPrefix("https://") != true }.map(\.id) == [])
        #expect(connectable.filter { ($0.registration ?? "").utf8.count < 30 }.map(\.id) == [])
        // Most are confirmed in full; `EveryProviderTests` sees to it that the others say so.
        #expect(connectable.count { $0.oauth?.unverified.isEmpty == false } < connectable.count / 2)
    }

    @Test func `a host that callers choose is one of those that the vendor has`() throws {
        let profile = try #require(
            SourceType.ID("amazon_selling_partner").flatMap { loaded.catalog[$0] }?.oauth)
        let host = try #require(profile.parameters.first { $0.name == "sellerHost" })
        for name in ["sellercentral.amazon.com", "sellercentral-europe.amazon.com", "sellercentral.amazon.com.be"] {
            #expect(host.pattern.matches(name))
        }
        for name in ["sellercentral.amazon.zip", "sellercentral-a.amazon.com", "sellercentral.amazon.co.de"] {
            #expect(!host.pattern.matches(name), "\(name)")
        }
    }

    /// One of these is a value for each parameter that has no default.
    private static let samples = [
        "acme", "acme.example.com", "1234567", "acme.myfreshworks.com", "org_01ABC", "ABCDE12345",
        "0bf296b5-36a6-4942-a13e-0123456789cd", "amzn1.sellerapps.app.0bf296b5-36a6", "impl.workday.com",
        "wd5-impl-services1.workday.com", "acme.au.deputy.com", "dev-1",
    ]

    @Test func `every address is https and filled by the defaults or by what its pattern takes`() throws {
        for sourceType in loaded.catalog.sourceTypes {
            guard let profile = sourceType.oauth, profile.resourceParameter == nil else { continue }
            let own = profile.parameters.filter { $0.defaultValue == nil && ($0.required || $0.setByOperator) }
            var given: [String: String] = [:]
            for parameter in own {
                let sample: String = try #require(
                    Self.samples.first { parameter.pattern.matches($0) }, "\(sourceType.id) \(parameter.name)")
                given[parameter.name] = sample
            }
            let operators = Set(own.filter(\.setByOperator).map(\.name))
            let client = Client(
                id: "client", secret: nil, parameters: given.filter { operators.contains($0.key) })
            var values = try profile.values(given.filter { !operators.contains($0.key) }, client: client)
            for value in profile.learned { values[value.name] = Self.samples.first(where: value.pattern.matches) }
            values["token"] = "t"
            values["clientId"] = "c"
            for template in profile.addressTemplates {
                #expect(
                    template.filled(with: values)?.hasPrefix("https://") == true, "\(sourceType.id) \(template.text)")
            }
        }
    }

    @Test func `no parameter lets a value leave the provider's domain`() throws {
        let hostile = [
            "evil.example", "evil.example/", "evil.example?", "evil.example#", "evil.example\\", "@evil.example",
            "a@evil.example",
            "evil.example:443", "..", ".", "", "evil.example%2f", "\u{430}cme", "acme\n", "acme.evil.example",
            "login.salesforce.com.evil.example", "evil-login.salesforce.com", "evil.example/.my.salesforce.com",
            "evil.example#.my.salesforce.com", "login-salesforce.com", "loginXsalesforce.com", "a.b.my.salesforce.com",
        ]
        for sourceType in loaded.catalog.sourceTypes {
            guard let profile = sourceType.oauth else { continue }
            for parameter in profile.parameters {
                for value in hostile {
                    guard let values = try? profile.values([parameter.name: value]),
                        let filled = profile.addresses.own.token?.filled(with: values), let url = StrictURL(filled)
                    else { continue }
                    #expect(!url.origin.description.contains("evil"), "\(sourceType.id) \(value)")
                }
            }
        }
    }

    @Test func `client names are the source types with OAuth and their providers`() {
        let names = loaded.catalog.clientNames
        #expect(names.isSuperset(of: ["google", "google_drive", "gmail", "atlassian", "microsoft", "slack"]))
        #expect(names.isDisjoint(with: ["file", "website", "sitemap", "rss"]))
    }

    @Test(arguments: 0..<200)
    func `a damaged catalog file never stops the program`(_ seed: Int) {
        var random = Generator(seed: UInt64(seed))
        let files = BuiltInCatalog.texts
        let file = files[seed % files.count]
        let (_, findings) = Entry.load([Self.damaged(file.text, by: &random)])
        for finding in findings {
            #expect(finding.hasPrefix("\(Entry.file): "))
            #expect(!finding.contains("\n"))
        }
    }

    private static func damaged(_ text: String, by random: inout Generator) -> String {
        var bytes = Array(text.utf8)
        let snippets = [
            "{", "}", "[", ": ", "\n", "\t", "&a ", "*a ", "!!", "- ", "\"", "'", "#", "|", "null", "~", "\0",
            "\u{FEFF}",
        ]
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(contentsOf: snippets.randomElement(using: &random)?.utf8 ?? "".utf8, at: place)
            case 3:
                let end = min(bytes.count, place + Int.random(in: 1...200, using: &random))
                bytes.removeSubrange(place..<end)
            default:
                let end = min(bytes.count, place + Int.random(in: 1...200, using: &random))
                bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
            }
            if bytes.isEmpty { bytes = [0x20] }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
