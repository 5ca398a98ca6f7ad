import Testing

@testable import AssetServer

@Suite struct MultipartReaderTests {
    /// A part as a test sees it.
    private struct Part: Equatable {
        var name: String?
        var fileName: String?
        var contentType: String?
        var content: String
        var isWhole = false
    }

    /// - Parameter size: of the pieces in which the body arrives.
    private static func parts(
        _ body: String, boundary: String = "b", inPiecesOf size: Int = .max, isCutShort: Bool = false
    ) throws -> [Part] {
        var reader = MultipartReader(try MultipartBoundary(contentType: "multipart/form-data; boundary=\(boundary)"))
        var parts: [Part] = []
        var rest = Array(body.utf8)[...]
        while !rest.isEmpty {
            for event in try reader.read(rest.prefix(size)) {
                switch event {
                case .part(let head):
                    parts.append(
                        Part(name: head.name, fileName: head.fileName, contentType: head.contentType, content: ""))
                case .content(let bytes): parts[parts.count - 1].content += String(decoding: bytes, as: UTF8.self)
                case .partEnd: parts[parts.count - 1].isWhole = true
                }
            }
            rest = rest.dropFirst(size)
        }
        if !isCutShort { try reader.finish() }
        return parts
    }

    private static let form = """
        --b\r
        Content-Disposition: form-data; name="payload"\r
        Content-Type: application/json; charset=utf-8\r
        \r
        {"Vectorize":false}\r
        --b\r
        Content-Disposition: form-data; name="file"; filename="a.md"\r
        Content-Type: text/markdown\r
        \r
        # A\r
        -\r
        --\r
        --c\r
        \r
        --b--\r

        """

    /// As content in the same pieces, give or take: what has come of a head is not looked at again.
    @Test func `a head that arrives byte by byte costs no more than its bytes`() throws {
        let filler = String(repeating: "x", count: 8_000)
        let time = { (body: String) in
            try ContinuousClock().measure { _ = try Self.parts(body, inPiecesOf: 1) }
        }
        let content = try time("--b\r\nX: y\r\n\r\n\(filler)\r\n--b--")
        let head = try time("--b\r\nX: \(filler)\r\n\r\ny\r\n--b--")
        #expect(head < content * 8, "\(head) against \(content)")
    }

    /// RFC 7578 § 4.
    @Test(arguments: [1, 2, 3, 5, 7, 64, Int.max])
    func `a form has its parts, however it arrives`(size: Int) throws {
        let parts = try Self.parts(Self.form, inPiecesOf: size)
        #expect(
            parts == [
                Part(
                    name: "payload", fileName: nil, contentType: "application/json", content: "{\"Vectorize\":false}",
                    isWhole: true),
                Part(
                    name: "file", fileName: "a.md", contentType: "text/markdown", content: "# A\r\n-\r\n--\r\n--c\r\n",
                    isWhole: true),
            ])
    }

    /// RFC 2046 § 5.1.1: what stands before the first delimiter and behind the last counts for nothing; white space may
    /// follow a boundary.
    @Test(arguments: ["", "--b", "\r\n--", "--\r\n\r\n--bc", "x\r\n--b"])
    func `what stands around the parts counts for nothing`(_ epilogue: String) throws {
        let body = "preamble\r\n-b\r\n--b \t\r\n\r\none\r\n--b\r\n\r\n\r\n--b--\(epilogue)"
        #expect(try Self.parts(body, inPiecesOf: 3).map(\.content) == ["one", ""])
    }

    /// What is like a delimiter and is none is content, whatever comes between.
    @Test(arguments: ["\r", "\r\n", "\r\r\n--", "\n--b", "\r\n--\r\n--x", "\r\n-\r\n--a", "--b", "\r\n --b"])
    func `what only looks like a delimiter is content`(_ content: String) throws {
        for size in [1, 2, .max] {
            let parts = try Self.parts("--b\r\n\r\n\(content)\r\n--b--", inPiecesOf: size)
            #expect(parts.map(\.content) == [content])
        }
    }

    @Test(arguments: [
        "", "--b", "--b\r\n", "--b\r\nA: b\r\n", "--b\r\n\r\nx", "--b\r\n\r\nx\r\n--b", "--b\r\n\r\nx\r\n--b-",
    ])
    func `a body that ends before its last delimiter is cut short`(_ body: String) {
        #expect(throws: MultipartFault.cutShort) { try Self.parts(body) }
    }

    @Test(arguments: ["--bx\r\n\r\n", "--b\rx", "--b\r\nno colon\r\n\r\n", "--b\r\n folded first: x\r\n\r\n"])
    func `a line that is none of a form ends it`(_ body: String) {
        for size in [1, .max] {
            #expect(throws: MultipartFault.malformed) { try Self.parts(body, inPiecesOf: size) }
        }
    }

    @Test func `a head is bounded, and so is the number of parts`() {
        let long = "--b\r\nA: " + String(repeating: "a", count: MultipartReader.longestHead)
        #expect(throws: MultipartFault.headTooLong) { try Self.parts(long, inPiecesOf: 1000, isCutShort: true) }
        let many = String(repeating: "--b\r\n\r\nx\r\n", count: MultipartReader.mostParts + 1)
        #expect(throws: MultipartFault.tooManyParts) { try Self.parts(many, isCutShort: true) }
    }

    /// Nothing that has come is kept but what may begin a delimiter.
    @Test func `content is handed on as it comes`() throws {
        var reader = MultipartReader(try MultipartBoundary(contentType: "multipart/form-data; boundary=b"))
        _ = try reader.read(Array("--b\r\n\r\n".utf8))
        #expect(try reader.read(Array("abc\r\n--".utf8)) == [.content(Array("abc".utf8))])
        #expect(try reader.read(Array("c".utf8)) == [.content(Array("\r\n--c".utf8))])
    }

    // MARK: names

    /// As the platform's client, browsers, curl and others send them.
    @Test(arguments: [
        (#"name="File"; filename="a \"b\" \\ ü.md""#, "File", #"a "b" \ ü.md"#),
        (#"name=File; filename=plain.txt"#, "File", "plain.txt"),
        (#"filename="a;b.md"; name="File""#, "File", "a;b.md"),
        (#"name="File"; filename="C:\temp\a.md""#, "File", #"C:\temp\a.md"#),
        (#"name="File"; filename="/etc/passwd""#, "File", "passwd"),
        (#"name="File"; filename*=UTF-8''%e2%82%ac%20rates+more.txt"#, "File", "€ rates+more.txt"),
        (#"name="File"; filename="plain.md"; filename*=UTF-8''other.md"#, "File", "plain.md"),
        (#"name="File"; filename="""#, "File", ""),
        (#"name="File""#, "File", nil),
        (#"name="File"; filename="a.md"; filename="b.md""#, "File", nil),
        (#"NAME="File"; FileName="a.md""#, "File", "a.md"),
    ])
    func `a part's names are read as they are sent`(_ disposition: String, _ name: String, _ fileName: String?) throws {
        let body = "--b\r\ncontent-disposition:form-data; \(disposition)\r\n\r\n\r\n--b--"
        let part = try #require(try Self.parts(body).first)
        #expect(part.name == name)
        #expect(part.fileName == fileName)
    }

    @Test func `a name that is no UTF-8 is repaired`() throws {
        var reader = MultipartReader(try MultipartBoundary(contentType: "multipart/form-data; boundary=b"))
        let head =
            Array("--b\r\nContent-Disposition: form-data; name=f; filename=\"".utf8) + [0xE9] + Array("\"\r\n\r\n".utf8)
        guard case .part(let part)? = try reader.read(head).first else {
            Issue.record("no part")
            return
        }
        #expect(part.fileName == "é")
    }

    @Test(arguments: ["attachment; name=\"File\"", "x"])
    func `a part of another kind has no name`(_ disposition: String) throws {
        let body = "--b\r\nContent-Disposition: \(disposition)\r\n\r\n\r\n--b--"
        #expect(try Self.parts(body).map(\.name) == [nil])
    }

    // MARK: boundaries

    /// RFC 2046 § 5.1.1.
    @Test(arguments: [
        ("multipart/form-data; boundary=abc", "abc"), ("multipart/form-data; boundary=\"a b:c\"", "a b:c"),
        ("multipart/form-data; charset=utf-8; Boundary=abc ;x=y", "abc"),
        ("MULTIPART/form-data;boundary=--x--", "--x--"),
    ])
    func `a boundary is a token or quoted`(_ type: String, _ boundary: String) throws {
        #expect(try MultipartBoundary(contentType: type).bytes == Array(boundary.utf8))
    }

    @Test(arguments: [
        "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=\"a \"", "multipart/form-data; boundary=a\"b", "multipart/form-data; boundary=ü",
        "multipart/form-data; boundary=" + String(repeating: "a", count: 71),
        "multipart/form-data; boundary=a; boundary=b",
    ])
    func `a boundary that is none is refused`(_ type: String) {
        #expect(throws: MultipartFault.boundary) { try MultipartBoundary(contentType: type) }
    }
}
