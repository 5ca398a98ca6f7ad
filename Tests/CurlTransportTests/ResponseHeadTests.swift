import Testing

@testable import CurlTransport

@Suite struct ResponseHeadTests {
    private func read(_ lines: [String]) -> (head: ResponseHead, isAccepted: Bool) {
        var head = ResponseHead()
        let isAccepted = lines.allSatisfy { line in
            var line = line + "\r\n"
            return line.withUTF8 { head.read($0) }
        }
        return (head, isAccepted)
    }

    private func fields(_ lines: [String]) -> [String] {
        read(["HTTP/1.1 200 OK"] + lines).head.fields.map { "\($0.name)=\($0.value)" }
    }

    @Test func `names are in lower case, values trimmed, the order kept`() {
        #expect(fields(["B-One:  x \t", "a:y", "B-One: z: w"]) == ["b-one=x", "a=y", "b-one=z: w"])
    }

    @Test func `lines that are no fields are left out`() {
        #expect(fields(["no colon", ": no name", "A:", "  "]) == ["a="])
    }

    /// RFC 9112 § 5.2.
    @Test func `a folded line goes on with the one before`() {
        #expect(fields([" lost", "A: 1", "  2", "\t3 "]) == ["a=1 2 3"])
    }

    /// RFC 9110 § 5.5.
    @Test func `a value that is not ASCII counts as absent, with the lines that go on with it`() {
        #expect(fields(["A: 1", "B: \u{E9}", "  2", "C: 3"]) == ["a=1", "c=3"])
        #expect(fields(["A: 1", "B: 2", "  \u{301}", " 4", "C: 3"]) == ["a=1", "c=3"])
        var head = ResponseHead()
        let isAccepted = (Array("A: x".utf8) + [0xff, 0x0d, 0x0a]).withUnsafeBufferPointer { head.read($0) }
        #expect(isAccepted)
        #expect(head.fields.isEmpty)
    }

    /// RFC 9110 § 15.2.
    @Test func `of interim responses nothing is kept`() {
        let lines = ["HTTP/1.1 103 Early Hints", "A: 1", "", "HTTP/1.1 100 Continue", "", "HTTP/1.1 200 OK", "B: 2"]
        #expect(read(lines).head.fields.map(\.name) == ["b"])
        #expect(read(["HTTP/2 103", "A: 1", "", "HTTP/2 200 ", "B: 2"]).head.fields.map(\.name) == ["b"])
    }

    /// RFC 9110 § 6.5.1: a trailer is no header, whatever it looks like.
    @Test func `no trailer begins another response`() {
        #expect(fields(["A: 1", "", "HTTP/1.1 200 OK", "Set-Cookie: a", "HTTP/x: 1", "", "B: 2"]) == ["a=1"])
        #expect(fields(["A: 1", "HTTP/x: 1"]) == ["a=1", "http/x=1"])
    }

    @Test func `headers may be exactly as long as the limit, over all responses`() {
        let line = "A: " + String(repeating: "b", count: 1019)  // 1024 with its end
        let full = Array(repeating: line, count: ResponseHead.byteLimit / 1024)
        #expect(read(full).isAccepted)
        #expect(!read(full + [""]).isAccepted)
        #expect(!read(full.dropLast() + ["HTTP/1.1 200 OK"] + full).isAccepted)
    }
}
