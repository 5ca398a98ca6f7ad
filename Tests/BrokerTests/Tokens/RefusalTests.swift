import Catalog
import Formats
import Testing
import Transport

@testable import Broker

@Suite(.timeLimit(.minutes(5))) struct RefusalTests {
    /// Asked twice at each level, the deepest text that is read would take for ever.
    @Test(arguments: [(#"[1,"#, "]"), (#"{"a":"#, "}")])
    func `a word is found in any depth, in time linear in it`(_ opening: String, _ closing: String) {
        let depth = 60
        let nested =
            String(repeating: opening, count: depth) + #""Invalid_Grant""# + String(repeating: closing, count: depth)
        let response = ProviderResponse(status: 400, body: Array(nested.utf8))
        #expect(response.says(oneOf: ["invalid_grant"]) == "invalid_grant")
        #expect(response.says(oneOf: ["other"]) == nil)
    }

    /// WeChat and others say their errors in numbers.
    @Test(arguments: [("42002", true), ("42002.5", false), ("420021", false), ("true", false), ("1e400", false)])
    func `a number is compared as it is written`(_ number: String, _ isSaid: Bool) {
        let response = ProviderResponse(status: 200, body: Array(#"{"errcode": \#(number)}"#.utf8))
        #expect((response.says(oneOf: ["42002"]) != nil) == isSaid)
    }

    @Test func `text before the JSON is passed over`() {
        let response = ProviderResponse(status: 400, body: Array(#"&&&START&&&{"error": "dead"}"#.utf8))
        #expect(response.says(oneOf: ["dead"], after: "&&&START&&&") == "dead")
    }
}
