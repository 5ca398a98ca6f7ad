import Formats
import Testing

@testable import AssetReaders

@Suite struct EmbeddingAnswerTests {
    private func read(_ json: String, count: Int = 1, dimensions: Int = 2) throws(EmbeddingAnswer.Fault) -> (
        [[Float]], Int?
    ) {
        let read = try EmbeddingAnswer.read(Array(json.utf8), count: count, dimensions: dimensions)
        return (read.vectors, read.tokenCount)
    }

    @Test func `numbers are read in any spelling of JSON`() throws {
        let (vectors, _) = try read(
            #"{"data":[{"index":0,"embedding":[-0,1e-7,0.12345678901234567890123,12345678901234567890]}]}"#,
            dimensions: 4)
        #expect(vectors == [[0, 1e-7, 0.12345679, 1.2345679e19]])
    }

    @Test func `members that nobody asked for are passed over`() throws {
        let (vectors, tokens) = try read(
            #"{"id":"x","data":[{"object":"o","index":0,"embedding":[1,2]}],"usage":{"total_tokens":7,"x":1}}"#)
        #expect(vectors == [[1, 2]] && tokens == 7)
    }

    @Test(arguments: [
        "", "null", "[]", "{}", #"{"data":{}}"#, #"{"data":[1]}"#, #"{"data":[{"embedding":[1,2]}]}"#,
        #"{"data":[{"index":0}]}"#, #"{"data":[{"index":"0","embedding":[1,2]}]}"#,
        #"{"data":[{"index":0.5,"embedding":[1,2]}]}"#, #"{"data":[{"index":0,"embedding":"AACAPw=="}]}"#,
        #"{"data":[{"index":0,"embedding":[1,"2"]}]}"#, #"{"data":[{"index":0,"embedding":[1,null]}]}"#,
        #"{"data":[{"index":0,"embedding":[1,NaN]}]}"#, #"{"data":[{"index":0,"embedding":[1,Infinity]}]}"#,
        #"{"data":[{"index":0,"embedding":[1,-Infinity]}]}"#, #"{"data":[],"data":[{"index":0,"embedding":[1,2]}]}"#,
    ])
    func `an answer of another form is refused`(_ json: String) {
        #expect(throws: EmbeddingAnswer.Fault.self) { try read(json) }
    }

    @Test(arguments: ["1e39", "-1e39", "1e400", "-1e999"])
    func `a number beyond what a vector holds is refused`(_ number: String) {
        #expect(throws: EmbeddingAnswer.Fault.notFinite) {
            try read(#"{"data":[{"index":0,"embedding":[1,\#(number)]}]}"#)
        }
    }

    @Test(arguments: [("[1]", 1), ("[1,2,3]", 3), ("[]", 0)])
    func `a vector of another length is refused`(_ vector: String, _ count: Int) {
        #expect(throws: EmbeddingAnswer.Fault.wrongLength(count, expected: 2)) {
            try read(#"{"data":[{"index":0,"embedding":\#(vector)}]}"#)
        }
    }

    @Test(arguments: [
        (#"[{"index":0,"embedding":[1,2]}]"#, EmbeddingAnswer.Fault.wrongCount(1, expected: 2)),
        (#"[{"index":0,"embedding":[1,2]},{"index":0,"embedding":[1,2]}]"#, .wrongIndex),
        (#"[{"index":0,"embedding":[1,2]},{"index":2,"embedding":[1,2]}]"#, .wrongIndex),
        (#"[{"index":-1,"embedding":[1,2]},{"index":1,"embedding":[1,2]}]"#, .wrongIndex),
        (#"[{"index":9223372036854775807,"embedding":[1,2]},{"index":1,"embedding":[1,2]}]"#, .malformed),
    ])
    func `each text has just one vector`(_ data: String, _ fault: EmbeddingAnswer.Fault) {
        #expect(throws: fault) { try read(#"{"data":\#(data)}"#, count: 2) }
    }

    @Test(arguments: [
        ("", nil), (#","usage":null"#, nil), (#","usage":{"total_tokens":0}"#, 0),
        (#","usage":{"total_tokens":-1}"#, nil), (#","usage":{"total_tokens":1.5}"#, nil),
        (#","usage":{"total_tokens":9223372036854775807}"#, nil), (#","usage":{"total_tokens":1e300}"#, nil),
        (#","usage":{"total_tokens":"7"}"#, nil), (#","usage":{"total_tokens":1000000000}"#, 1_000_000_000),
    ])
    func `a token count that cannot be counts as unsaid`(_ usage: String, _ tokens: Int?) throws {
        #expect(try read(#"{"data":[{"index":0,"embedding":[1,2]}]\#(usage)}"#).1 == tokens)
    }

    @Test func `a whole call of long vectors is read`() throws {
        let vector = (0..<1536).map { "0.0\($0)" }.joined(separator: ",")
        let data = (0..<64).map { #"{"index":\#($0),"embedding":[\#(vector)]}"# }.joined(separator: ",")
        let (vectors, _) = try read(#"{"data":[\#(data)]}"#, count: 64, dimensions: 1536)
        #expect(vectors.count == 64 && vectors.allSatisfy { $0.count == 1536 })
    }
}
