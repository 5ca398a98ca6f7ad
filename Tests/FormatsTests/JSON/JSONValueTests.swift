import Foundation
import TestSupport
import Testing

@testable import Formats

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
        #expect(throws: JSONFault.malformed) { try StrictJSON.value(Array(text.utf8)) }
        if !Self.repaired.contains(text) { #expect(JSONValue(json: Array(text.utf8)) == nil) }
    }

    private static let repaired = ["NaN", "Infinity", "\"\n\"", "\"\\x\""]

    /// The contents of a member that nobody asks for: it must not cost the others.
    @Test(
        arguments: [
            (#"\ud83d"#, "\u{FFFD}"), (#"\ud83dx"#, "\u{FFFD}x"), (#"\udd11"#, "\u{FFFD}"),
            (#"\ud83d\u0041"#, "\u{FFFD}A"),
            (#"\ud83d\ud83d\udd11"#, "\u{FFFD}\u{1F511}"), (#"\u12"#, "\u{FFFD}"), (#"\x41"#, "\u{FFFD}x41"),
            (#"\'"#, "\u{FFFD}'"), ("a\nb\u{0}\t", "a\nb\u{0}\t"), (#"\ud83d\n"#, "\u{FFFD}\n"),
        ])
    func `a text is read whatever is in it`(_ written: String, _ text: String) {
        let json = Array("{\"x\":\"\(written)\",\"\(written)\":1,\"a\":\"b\"}".utf8)
        #expect(JSONValue(json: json) == .object(["x": .string(text), text: .number(1), "a": .string("b")]))
        #expect(throws: JSONFault.malformed) { try StrictJSON.value(json) }
        #expect(throws: JSONFault.malformed) { try JSONValue(json: json, by: .trusted) }
    }

    @Test func `bytes that are no UTF-8 are repaired`() {
        let json = Array("{\"x\":\"".utf8) + [0xE9, 0x80] + Array("\",\"".utf8) + [0xFF] + Array("\":\"b\"}".utf8)
        #expect(JSONValue(json: json) == .object(["x": .string("\u{E9}\u{FFFD}"), "\u{FF}": .string("b")]))
    }

    /// Python writes these.
    @Test func `what is no number counts as unsaid`() {
        let json = #"{"a":NaN,"b":Infinity,"c":-Infinity,"d":1}"#
        let value = JSONValue.object(["a": .null, "b": .null, "c": .null, "d": .number(1)])
        #expect(JSONValue(json: Array(json.utf8)) == value)
        for text in ["-NaN", "NaNa", "-I", "Infinit", "+Infinity", "nan"] {
            #expect(JSONValue(json: Array(text.utf8)) == nil)
        }
    }

    /// RFC 8259 § 8.1 and RFC 3629 § 3.
    @Test(
        arguments: [[0xFF], [0xC3], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0x80], [0xF4, 0x90, 0x80, 0x80]] as [[UInt8]])
    func `what is not UTF-8 is refused`(_ bytes: [UInt8]) {
        #expect(throws: JSONFault.malformed) { try StrictJSON.value([0x22] + bytes + [0x22]) }
        #expect(throws: JSONFault.malformed) { try StrictJSON.value([0x7B, 0x22] + bytes + Array("\":1}".utf8)) }
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
        #expect(throws: JSONFault.malformed) { try StrictJSON.value(Array(text.utf8)) }
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

    /// An array is a value too, and so is what holds it.
    @Test(arguments: [("0", 9_999), ("\"\"", 9_999), ("[]", 9_999), ("[0]", 4_999), ("{\"a\":0}", 4_999)])
    func `a document may have ten thousand values and no more`(_ value: String, _ count: Int) {
        let json = { (count: Int) in Array("[\(repeatElement(value, count: count).joined(separator: ","))]".utf8) }
        #expect(JSONValue(json: json(count)) != nil)
        #expect(JSONValue(json: json(count + 1)) == nil)
    }

    @Test func `commas in a text are no values`() {
        #expect(JSONValue(json: Array("\"\(String(repeating: ",[{", count: 10_000))\"".utf8)) != nil)
    }

    /// RFC 8259 § 4 leaves open which one counts. Foundation, which reads other bodies, takes the first too.
    @Test func `of a member that comes twice the first counts`() {
        #expect(JSONValue(json: Array(#"{"a": "1", "a": "2"}"#.utf8)) == .object(["a": .string("1")]))
    }

    @Test(
        arguments: [
            (.number(3600), 3600), (.string("3600"), 3600), (.string(" 3600 "), 3600), (.string("3600.5"), 3600.5),
            (.string("-1"), -1), (.string("\t1e3"), 1000), (.integer(1 << 60), 0x1p60),
            (.string("inf"), nil), (.string("-Infinity"), nil), (.string("nan"), nil), (.string("0x1p3"), nil),
            (.string("1e999"), nil), (.string("1e"), nil), (.string("+"), nil),
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
    @Test(arguments: [
        "9007199254740993", "-9007199254740993", "123456789012345678", "9223372036854775807", "9223372036854775808",
        "18446744073709551615", "-12345678901234567890", "0.1234567890123456789", "1e999", "-1e-999",
        "1234567890.1234567890", String(repeating: "9", count: 400), "1.000000000000000000001E-7",
    ])
    func `a number keeps all its digits`(_ text: String) throws {
        let json = JSONValue.array([try #require(JSONValue(json: Array(text.utf8)))])
        #expect(String(decoding: try json.encoded(), as: UTF8.self) == "[\(text)]")
    }

    /// IEEE 754 gives 15 digits back.
    @Test(arguments: ["0.1", "1.5", "123456789.123456", "0.00000123456789012345", "1e300", "-0.5e-300"])
    func `a number that a machine holds is one`(_ text: String) throws {
        guard case .number(let number)? = JSONValue(json: Array(text.utf8)) else {
            Issue.record("no number")
            return
        }
        #expect(number == Double(text))
    }

    /// Another reader as the judge: Foundation's. It takes commas before a closing bracket besides, which are no JSON
    /// (RFC 8259 § 4, § 5), and is left without exponents here, some of which it refuses.
    @Test func `what is read is what Foundation reads`() throws {
        let seeds = [
            #"{"access_token":"a\u00e9\n","expires_in":3600,"scope":["a","b"],"x":null,"y":{"z":-1.5}}"#,
            #"[true,false,null,0,-0,1.25,9007199254740993,"\ud83d\udd11\/\"\\\b\f\r\t"]"#,
        ].map { Array($0.utf8) }
        let alphabet = Array(#"{}[]",:\u/bfnrtDd8019.-+ truflsn"#.utf8) + [0x00, 0x1F, 0x7F, 0xC3, 0xA9, 0xFF]
        var random = SystemRandomNumberGenerator()
        for round in 0..<4_000 {
            var bytes = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = alphabet.randomElement(using: &random) ?? 0
                case 1: bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: place)
                default: bytes.remove(at: place)
                }
            }
            let ours = strictly(bytes)
            let theirs = try? JSONDecoder().decode(FoundationJSON.self, from: Data(bytes)).value
            let text = String(decoding: bytes, as: UTF8.self)
            // They also round what no machine holds.
            if text.contains(/[0-9.]{17}/) || (ours == nil && text.contains(/,\s*[\]}]/)) { continue }
            #expect(ours == theirs, "\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    /// RFC 8259 § 4 and § 5.
    @Test(arguments: [
        "[1,]", "[,1]", "[,]", #"{"a":1,}"#, "{,}", #"{"a":1,"b"}"#, "[1 2]", #"{"a" 1}"#, "[1", #"{"a":"#,
    ])
    func `commas and colons stand where they must`(_ text: String) {
        #expect(JSONValue(json: Array(text.utf8)) == nil)
    }

    @Test(arguments: [
        ("1e999", nil), ("-1e999", nil), ("1e-999", 0), ("0e5", 0), ("9e15", 9e15), ("1E+2", 100),
        ("18446744073709551616", 0x1p64), (String(repeating: "9", count: 400), nil),
    ])
    func `a number is reckoned with as far as it can be held`(_ text: String, _ number: Double?) throws {
        #expect(try #require(JSONValue(json: Array(text.utf8))).number == number)
        #expect(try #require(JSONValue(json: Array("\"\(text)\"".utf8))).number == nil)
    }

    static let awkward =
        (0..<0x120).compactMap { Unicode.Scalar($0).map { "a\($0)b" } } + [
            "", "/", "</script>", "\u{2028}\u{2029}", "e\u{301}", "\u{1F511}", "\u{FFFF}", "\u{10FFFF}", "\r\n", "\"\\",
        ]

    @Test(arguments: awkward)
    func `a text is written as Foundation writes it`(_ text: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        var json = JSONWriter()
        json.string(text)
        #expect(json.bytes == Array(try encoder.encode(text)))
        #expect(JSONValue(json: json.bytes) == .string(text))
    }

    @Test(arguments: [
        "1", "-1", "0", "1.5", "1e300", "-1e-300", "0.1", "1e15", "1e16", "9007199254740993", "1e19", "true", "null",
        "[]", "{}", #"{"b":[1,{"a":"\n"}],"a":null}"#,
    ])
    func `a value is written as Foundation writes it`(_ text: String) throws {
        let value = try #require(JSONValue(json: Array(text.utf8)))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        var json = JSONWriter()
        try json.value(value)
        let theirs = String(decoding: try encoder.encode(FoundationJSON(value)), as: UTF8.self)
        #expect(String(decoding: json.bytes, as: UTF8.self) == theirs)
    }

    @Test(arguments: [Double.infinity, -.infinity, .nan])
    func `a number that JSON lacks is not written`(_ number: Double) {
        #expect(throws: (any Error).self) {
            var json = JSONWriter()
            try json.value(.array([.number(number)]))
        }
    }

    /// By RFC 8259 alone. Of a name that comes twice the first counts.
    private func strictly(_ json: [UInt8]) -> JSONValue? {
        do {
            return try StrictJSON.value(json)
        } catch {
            return error == .memberRepeated ? JSONValue(json: json) : nil
        }
    }

    private func written(_ text: String) throws -> String {
        let value = try #require(JSONValue(json: Array(text.utf8)))
        return String(decoding: try value.encoded(), as: UTF8.self)
    }
}
