import Broker
import Foundation
import Testing

@Suite struct JSONValueTests {
    @Test(
        arguments: [
            ("null", .null), ("true", .bool(true)), ("false", .bool(false)), ("0", .number(0)), ("1", .number(1)),
            ("-1.5e3", .number(-1500)),
            (#""a\u00e9\n""#, .string("aé\n")), ("[]", .array([])), ("{}", .object([:])),
            (" \t\r\n{} \n", .object([:])),
            (#"["1", 1, true, null]"#, .array([.string("1"), .number(1), .bool(true), .null])),
            (#"{"a": {"b": []}}"#, .object(["a": .object(["b": .array([])])])),
            (#""\ud83d\udd11""#, .string("\u{1F511}")),
            (#"{"a": 0, "b": 1}"#, .object(["a": .number(0), "b": .number(1)])),
            (#"[0, 1]"#, .array([.number(0), .number(1)])),
        ] as [(String, JSONValue)])
    func `every kind of value is read as what it is`(_ text: String, _ value: JSONValue) {
        #expect(JSONValue(json: Array(text.utf8)) == value)
    }

    /// RFC 8259 § 8.1: a reader may pass over a byte order mark.
    @Test func `a byte order mark is passed over`() {
        #expect(JSONValue(json: [0xEF, 0xBB, 0xBF] + Array(#"{"a":1}"#.utf8)) == .object(["a": .number(1)]))
    }

    @Test(arguments: [
        "", " ", "{", "}", "[1", "{} {}", "{}x", "{a: 1}", "{'a': 1}", "{\"a\"}", "nul", "NaN", "Infinity", "01", "1.",
        ".5",
        "+1", "\"a", "\"\n\"", "\"\\x\"", "// x\n{}", "<html>", "a=b",
    ])
    func `what is not JSON is refused`(_ text: String) {
        #expect(JSONValue(json: Array(text.utf8)) == nil)
    }

    /// RFC 8259 § 8.1 and RFC 3629 § 3.
    @Test(
        arguments: [[0xFF], [0xC3], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0x80], [0xF4, 0x90, 0x80, 0x80]] as [[UInt8]])
    func `what is not UTF-8 is refused`(_ bytes: [UInt8]) {
        #expect(JSONValue(json: [0x22] + bytes + [0x22]) == nil)
        #expect(JSONValue(json: [0x7B, 0x22] + bytes + Array("\":1}".utf8)) == nil)
    }

    /// UTF-16 and UTF-32, which Foundation's decoder would take as well.
    @Test(arguments: [
        String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian, .utf32, .utf32LittleEndian, .utf32BigEndian,
    ])
    func `another encoding than UTF-8 is refused`(_ encoding: String.Encoding) throws {
        let data = try #require(#"{"access_token":"a"}"#.data(using: encoding))
        #expect(JSONValue(json: Array(data)) == nil)
    }

    /// RFC 8259 § 8.2: half a pair of surrogates is no character.
    @Test(arguments: [#""\ud83d""#, #""\udd11""#, #""\ud83dx""#])
    func `half a pair of surrogates is refused`(_ text: String) {
        #expect(JSONValue(json: Array(text.utf8)) == nil)
    }

    @Test(arguments: [("[", "]"), ("{\"a\":", "}")])
    func `a value may be 64 deep and no deeper`(_ open: String, _ close: String) {
        let nested = { (depth: Int) in
            Array((String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)).utf8)
        }
        #expect(JSONValue(json: nested(64)) != nil)
        #expect(JSONValue(json: nested(65)) == nil)
        #expect(JSONValue(json: nested(100_000)) == nil)
    }

    @Test func `brackets in a text are not depth`() {
        let text = String(repeating: "[{", count: 100) + "\\\"" + String(repeating: "[", count: 100)
        #expect(JSONValue(json: Array("\"\(text)\"".utf8)) != nil)
    }

    @Test func `closing brackets do not make room for depth`() {
        let text = String(repeating: "]", count: 100) + String(repeating: "[", count: 100)
        #expect(JSONValue(json: Array(text.utf8)) == nil)
    }

    /// RFC 8259 § 4 leaves open which one counts; it must be one of them, and no crash.
    @Test func `a member that comes twice has one of its values`() throws {
        let value = try #require(JSONValue(json: Array(#"{"a": "1", "a": "2"}"#.utf8)))
        #expect([.object(["a": .string("1")]), .object(["a": .string("2")])].contains(value))
    }

    @Test(
        arguments: [
            (.number(3600), 3600), (.string("3600"), 3600), (.string(" 3600 "), 3600), (.string("3600.5"), 3600.5),
            (.string("-1"), -1),
            (.string(""), nil), (.string("soon"), nil), (.string("1h"), nil), (.bool(true), nil), (.null, nil),
            (.array([.number(1)]), nil),
        ] as [(JSONValue, Double?)])
    func `a number that was sent as text is one`(_ value: JSONValue, _ number: Double?) {
        #expect(value.lenientNumber == number)
    }

    @Test(arguments: [
        "1", "0", "-1", "1000000000000000", "9007199254740991", "1.5", "true", "null", #""a""#, "[1,2]",
        #"{"a":[{"b":null}]}"#,
    ])
    func `what was read is written again`(_ text: String) throws {
        #expect(try written(text) == text)
    }

    /// Account numbers can be longer than what a floating-point number holds exactly.
    @Test(arguments: ["9007199254740993", "-9007199254740993", "123456789012345678", "9223372036854775807"])
    func `a whole number keeps all its digits`(_ text: String) throws {
        #expect(try written(text) == text)
    }

    private func written(_ text: String) throws -> String {
        let value = try #require(JSONValue(json: Array(text.utf8)))
        return String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
    }
}
