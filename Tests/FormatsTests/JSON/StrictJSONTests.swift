import Testing

@testable import Formats

/// RFC 7515 § 4, RFC 7519 § 4: names are unique, since two readers that take different ones of two members believe
/// different things.
@Suite struct StrictJSONTests {
    @Test(arguments: [
        #"{"a":1,"a":2}"#, #"{"a":1,"b":2,"a":1}"#, #"{"a":1,"\u0061":2}"#, #"{"":1,"":2}"#, #"{"a":{"b":1,"b":2}}"#,
        #"[{"a":1},{"a":1,"a":2}]"#, #"{"a":{"a":1},"a":2}"#, #"{"a":[{}],"b":"x","a":2}"#,
        #"{"a\"":1,"a\"":2}"#, #"{ "a" : 1 , "a" : 2 }"#, #"{"é":1,"é":2}"#,
    ])
    func `a name that comes twice is found`(_ text: String) {
        #expect(JSONValue(json: Array(text.utf8)) != nil)
        #expect(throws: JSONFault.memberRepeated) { try StrictJSON.value(Array(text.utf8)) }
    }

    @Test(arguments: [
        "{}", "[]", "1", #""a""#, #"{"a":1,"A":2}"#, #"{"a":"a","b":"a"}"#, #"{"a":{"a":{"a":1}}}"#,
        #"[{"a":1},{"a":1}]"#, #"["a","a"]"#, #"{"a":["a","a","b"],"b":1}"#, #"{"a":"{\"b\":1,\"b\":2}","b":1}"#,
        #"{"a":"x\\","b":"y"}"#, #"{"a":{},"b":{}}"#, #"{"a":[[],[]],"b":[{"a":1},2],"c":3}"#,
    ])
    func `names in different objects are different`(_ text: String) throws {
        #expect(try StrictJSON.value(Array(text.utf8)) == JSONValue(json: Array(text.utf8)))
    }

    @Test(arguments: ["{", "\"", "\"\\", "}", "{\"", "{\"a", "]]]]", ",,", "{\"a\":\"\\", "{,\"a\",\"a\"}", "{\"\\u\""])
    func `what is no JSON is none`(_ text: String) {
        #expect(throws: JSONFault.malformed) { try StrictJSON.value(Array(text.utf8)) }
    }

    @Test func `an object is wanted where one is`() {
        #expect(throws: JSONFault.notAnObject) { try StrictJSON.object(Array("[]".utf8)) }
        #expect(throws: JSONFault.memberRepeated) { try StrictJSON.object(Array(#"[{"a":1,"a":1}]"#.utf8)) }
    }

    @Test func `a Kelvin sign is no K`() {
        #expect("\u{212A}" == "K")
        #expect(!"\u{212A}".isExactly("K"))
        #expect("https://a".isExactly("https://a"))
        #expect(!"https://a".isExactly("https://a/"))
        #expect(!["\u{212A}iosk"].contains(exactly: "Kiosk") && ["a", "Kiosk"].contains(exactly: "Kiosk"))
        let members = ["org\u{212A}ey": JSONValue.null]
        #expect(members["orgKey"] != nil && members[exactly: "orgKey"] == nil)
    }

    @Test func `in any letter case means ASCII's letters`() {
        #expect("At+JWT".isExactly("at+jwt", inAnyCase: true) && !"At+JWT".isExactly("at+jwt", inAnyCase: false))
        for (left, right) in [("\u{212A}", "k"), ("@", "`"), ("[", "{"), ("\u{B}", "+"), ("a", "ab"), ("", "a")] {
            #expect(!left.isExactly(right, inAnyCase: true))
        }
    }
}
