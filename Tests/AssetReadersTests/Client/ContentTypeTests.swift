import Testing

@testable import AssetReaders

@Suite struct ContentTypeTests {
    @Test(
        arguments: [
            ("text/html", "text/html", nil), ("Text/HTML; charset=UTF-8", "text/html", "utf-8"),
            ("text/plain;charset=\"iso-8859-1\"", "text/plain", "iso-8859-1"),
            ("text/plain; format=flowed; Charset=utf-8 ; x=y", "text/plain", "utf-8"), ("", nil, nil), (nil, nil, nil),
            ("application/octet-stream", nil, nil), ("Binary/octet-stream", nil, nil),
            ("text/plain; charset=", "text/plain", nil),
            ("text/plain; charset=a b", "text/plain", nil), ("text/plain; notcharset=x", "text/plain", nil),
            (";charset=utf-8", nil, "utf-8"),
        ] as [(String?, String?, String?)])
    func `a header tells type and charset`(_ header: String?, _ type: String?, _ charset: String?) {
        #expect(ContentType(header).mediaType == type)
        #expect(ContentType(header).charset == charset)
    }

    @Test(
        arguments: [
            ("text/html", "a.md", "text/html"), ("text/plain", "a.md", "text/markdown"),
            ("text/plain", "a.log", "text/plain"), (nil, "A.HTM", "text/html"), (nil, "a.csv", "text/csv"),
            ("image/png", "a.txt", nil), (nil, "a.png", nil), (nil, "md", nil), (nil, "", nil),
            ("application/xhtml+xml", "a", "text/html"), ("text/x-markdown", "a", "text/markdown"),
            ("application/csv", "a", "text/csv"), ("application/x-pdf", "a.txt", "application/pdf"),
            (nil, "archive.md.gz", nil), (nil, ".md", "text/markdown"),
        ] as [(String?, String, String?)])
    func `a type is told by its source, else by the name`(_ declared: String?, _ name: String, _ expected: String?) {
        let types = SupportedTypes(TestSources.supportedTypes)
        #expect(types.contentType(declared: declared, fileName: name) == expected)
    }

    @Test func `text is read as nothing where no plain text is read`() {
        #expect(SupportedTypes([]).contentType(declared: "text/plain", fileName: "a.txt") == nil)
    }
}
