import Formats
import Testing
import Transport

@testable import Broker
@testable import Catalog

/// Unicode Standard Annex 15 § 13: text that can be normalised piece by piece.
@Suite struct StrangersTextTests {
    /// Marks of two classes, which normalisation has to sort; of each category; and one that is two.
    private static let marks = [
        "\u{301}\u{316}", "\u{94D}\u{93C}", "\u{1D165}\u{1D16D}", "\u{20DD}\u{20DE}", "\u{F73}\u{F71}",
    ]

    private static func run(_ marks: String, _ count: Int) -> String { String(repeating: marks, count: count / 2) }

    @Test(arguments: marks)
    func `a run of marks is bounded`(_ marks: String) {
        let read = { (count: Int) in String(stranger: Array("e\(Self.run(marks, count))".utf8)) }
        #expect(read(128)?.isExactly("e" + Self.run(marks, 128)) == true)
        #expect(read(130) == nil)
    }

    @Test func `marks on many letters are not bounded`() {
        let text = String(repeating: "e\u{316}\u{301}", count: 1_000)
        #expect(String(stranger: Array(text.utf8))?.isExactly(text) == true)
    }

    /// Wherever text comes in: these would otherwise be hashed and compared.
    @Test(arguments: marks)
    func `no reader takes an endless run of marks`(_ marks: String) {
        let run = Self.run(marks, 2_000)
        let escaped = String(repeating: #"\u0301\u0316"#, count: 500)
        for text in [run, escaped] {
            #expect(JSONValue(json: Array(#"{"e\#(text)":0}"#.utf8)) == nil)
            #expect(JSONValue(json: Array(#"{"a":"e\#(text)"}"#.utf8)) == nil)
        }
        #expect(Percent.pairs("a\(run)=1") == nil)
        #expect(CallbackRequest("a\(run)=1&state=x", at: .legacy).state == nil)
        let body = Array("access_token=a&e\(run)=1".utf8)
        #expect(throws: TokenResponse.Fault.noTokenResponse) {
            try TokenResponse(ProviderResponse(status: 200, body: body), shape: .init(), now: TestTime.now)
        }
    }
}
