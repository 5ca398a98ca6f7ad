import Formats
import Testing

@testable import Assets

@Suite struct SourceParametersTests {
    private static let type = SourceType(
        name: "example", displayName: "Example", category: "web",
        properties: [
            SourceProperty("url", .string, form: .webAddress, isRequired: true, description: ""),
            SourceProperty("recursive", .boolean, default: .boolean(true), description: ""),
            SourceProperty("maxPages", .integer, form: .within(1...1000), description: ""),
            SourceProperty("repository", .string, form: .repository, description: ""),
            SourceProperty("ref", .string, form: .gitReference, description: ""),
            SourceProperty("path", .string, description: ""),
        ],
        authorization: .none)

    private static func fault(_ members: [String: JSONValue]) -> SourceParameterFault? {
        let members = ["url": .string("https://a.example")].merging(members) { $1 }
        do throws(SourceParameterFault) {
            _ = try type.parameters(from: members)
            return nil
        } catch {
            return error
        }
    }

    @Test func `values keep their kind, and defaults are not filled in`() throws {
        let parameters = try Self.type.parameters(from: [
            "url": .string("https://a.example/x"), "maxPages": .number(3), "path": .string("docs"),
        ])
        #expect(
            parameters == ["url": .string("https://a.example/x"), "maxPages": .integer(3), "path": .string("docs")])
    }

    @Test func `text counts as the flag or number that it spells`() throws {
        let parameters = try Self.type.parameters(from: [
            "url": .string("https://a.example"), "recursive": .string("false"), "maxPages": .string("12"),
        ])
        #expect(parameters["recursive"] == .boolean(false))
        #expect(parameters["maxPages"] == .integer(12))
    }

    @Test func `null counts as not given`() throws {
        #expect(try Self.type.parameters(from: ["url": .string("http://a.example"), "ref": .null]).count == 1)
        #expect(Self.fault(["url": .null]) == .missing("url"))
    }

    @Test func `an unknown name is named, the first by name of several`() {
        #expect(Self.fault(["zoo": .bool(true), "Path": .string("x")]) == .unknown("Path"))
    }

    /// Unicode takes `É` and `E` with an accent behind it for one; a parameter's name is bytes.
    @Test func `a name that only Unicode takes for another is unknown`() {
        let type = SourceType(
            name: "x", displayName: "", category: "",
            properties: [SourceProperty("caf\u{E9}", .string, description: "")], authorization: .none)
        #expect(throws: SourceParameterFault.unknown("cafe\u{301}")) {
            try type.parameters(from: ["cafe\u{301}": .string("x")])
        }
    }

    @Test(arguments: [
        ("url", JSONValue.number(1)), ("url", .bool(true)), ("url", .array([])), ("path", .object([:])),
        ("recursive", .string("yes")), ("recursive", .string("True")), ("recursive", .number(1)),
        ("maxPages", .number(1.5)), ("maxPages", .string("+1")), ("maxPages", .string("1.0")),
        ("maxPages", .string("")),
        ("maxPages", .bool(true)), ("maxPages", .string("99999999999999999999")),
    ])
    func `a value of another kind is refused`(_ name: String, _ value: JSONValue) {
        guard case .notOfKind(name, _)? = Self.fault([name: value]) else {
            Issue.record("\(name) was taken")
            return
        }
    }

    @Test(arguments: [
        ("url", JSONValue.string("ftp://a.example")), ("url", .string("a.example")), ("url", .string("")),
        ("url", .string("https://a.example/" + String(repeating: "a", count: 2100))),
        ("maxPages", .number(0)), ("maxPages", .number(1001)), ("maxPages", .string("0")),
        ("path", .string("")), ("path", .string("a\u{0}b")), ("path", .string("a\nb")),
        ("path", .string(String(repeating: "a", count: 2049))),
        ("repository", .string("name")), ("repository", .string("a/b/c")), ("repository", .string("a/..")),
        ("repository", .string("../b")), ("repository", .string("a/b?c")), ("repository", .string("/b")),
        ("repository", .string("a/")), ("repository", .string("ä/b")),
        ("repository", .string("https://github.com/a/b")),
        ("ref", .string("a..b")), ("ref", .string("/a")), ("ref", .string("a/")), ("ref", .string("a//b")),
        ("ref", .string(".a")), ("ref", .string("a/../b")), ("ref", .string("a b")), ("ref", .string("a:b")),
        ("ref", .string("a?b")), ("ref", .string("..")), ("ref", .string(String(repeating: "a", count: 256))),
    ])
    func `a value of another form is refused`(_ name: String, _ value: JSONValue) {
        guard case .malformed(name, _)? = Self.fault([name: value]) else {
            Issue.record("\(name) was taken")
            return
        }
    }

    @Test(arguments: [
        ("url", "https://a.example/b?c#d"), ("url", "http://127.0.0.1:8080"), ("repository", "octo-org/octo.repo_1"),
        ("ref", "main"), ("ref", "feature/new-thing"), ("ref", "v1.2.3"), ("path", "docs/äöü"),
    ])
    func `a value of the form is taken as it is`(_ name: String, _ value: String) throws {
        let members = ["url": JSONValue.string("https://a.example")].merging([name: .string(value)]) { $1 }
        #expect(try Self.type.parameters(from: members)[name] == .string(value))
    }
}
