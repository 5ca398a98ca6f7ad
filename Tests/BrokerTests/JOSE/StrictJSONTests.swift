import Testing

@testable import Broker

/// RFC 8725 § 2.4: two readers that take different ones of two members believe different things.
@Suite struct StrictJSONTests {
    @Test(arguments: [
        #"{"a":1,"a":2}"#, #"{"a":1,"b":2,"a":1}"#, #"{"a":1,"\u0061":2}"#, #"{"":1,"":2}"#, #"{"a":{"b":1,"b":2}}"#,
        #"[{"a":1},{"a":1,"a":2}]"#, #"{"a":{"a":1},"a":2}"#, #"{"a":[{}],"b":"x","a":2}"#,
        #"{"a\"":1,"a\"":2}"#, #"{ "a" : 1 , "a" : 2 }"#, #"{"é":1,"é":2}"#,
    ])
    func `a name that comes twice is found`(_ text: String) {
        #expect(JSONValue(json: Array(text.utf8)) != nil)
        #expect(StrictJSON.hasRepeatedMember(Array(text.utf8)))
    }

    @Test(arguments: [
        "{}", "[]", "1", #""a""#, #"{"a":1,"A":2}"#, #"{"a":"a","b":"a"}"#, #"{"a":{"a":{"a":1}}}"#,
        #"[{"a":1},{"a":1}]"#, #"["a","a"]"#, #"{"a":["a","a","b"],"b":1}"#, #"{"a":"{\"b\":1,\"b\":2}","b":1}"#,
        #"{"a":"x\\","b":"y"}"#, #"{"a":{},"b":{}}"#, #"{"a":[[],[]],"b":[{"a":1},2],"c":3}"#,
    ])
    func `names in different objects are different`(_ text: String) {
        #expect(JSONValue(json: Array(text.utf8)) != nil)
        #expect(!StrictJSON.hasRepeatedMember(Array(text.utf8)))
    }

    @Test(arguments: ["{", "\"", "\"\\", "}", "{\"", "{\"a", "]]]]", ",,", "{\"a\":\"\\", "{,\"a\",\"a\"}", "{\"\\u\""])
    func `what is no JSON does not crash`(_ text: String) {
        _ = StrictJSON.hasRepeatedMember(Array(text.utf8))
    }

    @Test func `a Kelvin sign is no K`() {
        #expect("\u{212A}" == "K")
        #expect(!"\u{212A}".isExactly("K"))
        #expect("https://a".isExactly("https://a"))
        #expect(!"https://a".isExactly("https://a/"))
    }
}
