import Formats
import Testing
import Transport

@testable import Broker
@testable import Catalog

/// Unicode Standard Annex 15 § 13: text that can be normalised piece by piece.
@Suite struct UntrustedTextTests {
    /// Marks of two classes, which normalisation has to sort; of each category; and one that is two.
    private static let marks = [
        "\u{301}\u{316}", "\u{94D}\u{93C}", "\u{1D165}\u{1D16D}", "\u{20DD}\u{20DE}", "\u{F73}\u{F71}",
    ]

    private static func run(_ marks: String, _ count: Int) -> String { String(repeating: marks, count: count / 2) }

    @Test(arguments: marks)
    func `a run of marks is bounded`(_ marks: String) {
        let read = { (count: Int) in String(untrusted: Array("e\(Self.run(marks, count))".utf8)) }
        #expect(read(128)?.isExactly("e" + Self.run(marks, 128)) == true)
        #expect(read(130) == nil)
    }

    @Test func `marks on many letters are not bounded`() {
        let text = String(repeating: "e\u{316}\u{301}", count: 1_000)
        #expect(String(untrusted: Array(text.utf8))?.isExactly(text) == true)
    }

    /// Wherever text comes in: these would otherwise be hashed and compared.
    @Test(arguments: marks)
    func `no reader takes an endless run of marks`(_ marks: String) {
        let run = Self.run(marks, 2_000)
        let escaped = String(repeating: #"\u0301\u0316"#, count: 500)
        for text in [run, escaped] {
            #expect(throws: JSONFault.malformed) { try StrictJSON.value(Array(#"{"e\#(text)":0}"#.utf8)) }
            #expect(throws: JSONFault.malformed) { try StrictJSON.value(Array(#"{"a":"e\#(text)"}"#.utf8)) }
        }
        #expect(Percent.pairs("a\(run)=1") == nil)
    }

    /// Text for people is cut: a name of 2,000 marks costs no tokens, and is not compared.
    @Test(arguments: marks)
    func `of an endless run of marks what may be read stays`(_ marks: String) throws {
        let (run, cut) = (Self.run(marks, 2_000), Self.run(marks, 128))
        #expect(String(repairing: Array("e\(run)f\(run)".utf8)).isExactly("e\(cut)f\(cut)"))
        guard case .object(let members)? = JSONValue(json: Array(#"{"e\#(run)":"\#(run)"}"#.utf8)) else {
            Issue.record("no object")
            return
        }
        #expect(members.keys.first?.isExactly("e\(cut)") == true)
        let pair = try #require(Percent.repairedPairs(Array("a\(run)=1".utf8)).first)
        #expect(pair.name.isExactly("a\(cut)") && !pair.isSound)
        let body = Array("access_token=a&e\(run)=1".utf8)
        let response = ProviderResponse(status: 200, body: body)
        #expect(try TokenResponse(response, shape: .init(), now: TestTime.now).accessToken.expose { $0 } == "a")
    }

    /// ISO 8859-1, which is what is sent by programs that do not know UTF-8.
    @Test(
        arguments: [
            ([0x61, 0xE9], "a\u{E9}"), ([0xC3, 0xA9], "\u{E9}"), ([0xE9, 0x74, 0xE9], "\u{E9}t\u{E9}"),
            ([0x80], "\u{FFFD}"), ([0xC0, 0xAF], "\u{C0}\u{AF}"), ([0xED, 0xA0, 0x80], "\u{ED}\u{A0}\u{FFFD}"),
            ([0xF0, 0x9F, 0x94, 0x91], "\u{1F511}"), ([0xF0, 0x9F, 0x94], "\u{F0}\u{FFFD}\u{FFFD}"), ([], ""),
            ([0xFF, 0x00, 0xFE], "\u{FF}\u{0}\u{FE}"),
        ] as [([UInt8], String)])
    func `bytes that are no UTF-8 are read as what they most likely are`(_ bytes: [UInt8], _ text: String) {
        #expect(String(repairing: bytes).isExactly(text))
    }

    /// Or what was repaired could be taken for a token, an address or a key.
    @Test func `what was repaired is not ASCII`() {
        for length in 1...3 {
            for byte in UInt8(0x80)...0xFF {
                let bytes = Array(repeating: byte, count: length)
                if String(untrusted: bytes) == nil {
                    #expect(String(repairing: bytes).unicodeScalars.allSatisfy { !$0.isASCII })
                }
            }
        }
    }
}
