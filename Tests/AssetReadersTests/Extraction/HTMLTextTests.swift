import Assets
import Testing

@testable import AssetReaders

struct HTMLTextTests {
    @Test(arguments: [
        ("a<b>b</b> c\n d", "ab c d"), ("<p>a<p>b</p>c", "a\n\nb\n\nc"), ("a<br>b<br/><br>c", "a\nb\n\nc"),
        ("<ul><li>a</li><li>b</ul>c", "a\nb\n\nc"),
        ("<table><tr><th>a<th>b<tr><td>c<td>d</table>", "a\tb\nc\td"), ("<div>a</div><div>b</div>", "a\n\nb"),
        ("<pre>\n a\n  b\n</pre>c", " a\n  b\n\n\nc"), ("  <p>  a  </p>  ", "a"), ("a <!-- b --> c", "a c"),
        ("a<!-->b<!--->c<!-- --!>d", "abcd"), ("a<!doctype html>b<?php x ?>c</ d>e", "abce"),
        (
            "1 < 2 <3 & 4 &amp; &lt;p&gt; &eacute &notit; &#x80; &#8364; &nosuch;",
            "1 < 2 <3 & 4 & <p> é ¬it; € € &nosuch;"
        ),
        ("a<textarea>\n<b> c</textarea>d", "a\n<b> c\nd"), ("a&nbsp;&nbsp;b", "a\u{A0}\u{A0}b"),
        ("<p title='a>b' x=\">\">c", "c"), ("a<b", "a"), ("a<b c='", "a"), ("<a href=x/>a</a", "a"), ("a</>b", "ab"),
    ])
    func `the text is that which a reader sees`(_ page: String, _ expected: String) throws {
        #expect(try text(page) == expected)
    }

    @Test(arguments: [
        "<script>no<b></script >", "<SCRIPT>'</scriptx>'</SCRIPT>", "<style>no</style>",
        "<template><p>no</p></template>",
        "<!-- <p>no</p> -->", "<p hidden>no</p>", "<div hidden=''>no<div>no</div>no</div>", "<noscript>no</noscript>",
        "<div style='color:red; Display : none'>no</div>", "<iframe>no</iframe>", "<svg><title>no</title></svg>",
        "<dialog>no</dialog>", "<title>no</title>", "<template><template></template>no</template>",
        "<span hidden>no<span></span>no</span>", "<div hidden>no</p>no</div>", "<ul hidden><li>no<li>no</ul>",
        "<input hidden><br hidden>", "<script><!-- no --></script>", "<textarea hidden><p>no</textarea>",
    ])
    func `what nobody sees is left out`(_ part: String) throws {
        #expect(try text("a\(part)b").filter { !$0.isWhitespace } == "ab")
    }

    /// HTML § 13.1.2.4: such elements have no end tag of their own.
    @Test(arguments: [
        "<p hidden>no<p>b", "<p hidden>no<div>b", "<ul><li hidden>no<ul><li>no</ul>no<li>b</ul>",
        "<div><p hidden>no</div>b",
        "<table><tr hidden><td>no<tr><td>b</table>", "<dl><dt hidden>no<dd>b</dl>", "<ul><li hidden>no</ul>b",
        "<table><tr><td hidden>no<td>b</table>",
    ])
    func `a hidden element without end tag ends where its like do`(_ part: String) throws {
        #expect(try text("a\(part)").filter { !$0.isWhitespace } == "ab")
    }

    @Test func `headings make sections, and the title is told`() throws {
        let page = "<title> A &amp;\n B</title><p>x<h1>One <i>1</i></h1>y<h2></h2><h2>Two</h2>z<h1>Three"
        let text = try HTMLText.extract(Array(page.utf8), charset: nil, mostBytes: 1000)
        #expect(text.title == "A & B")
        #expect(text.sections.map(\.headings) == [[], ["One 1"], ["One 1", "Two"], ["Three"]])
        #expect(
            text.sections.map { String(decoding: text.bytes[$0.range], as: UTF8.self) }
                == ["x\n\n", "One 1\n\ny\n\n", "Two\n\nz\n\n", "Three"])
    }

    @Test(arguments: [
        "<meta charset=windows-1251>", "<META http-equiv='Content-Type' content='text/html; charset=windows-1251'>",
        "<!-- <meta charset=koi8-r> --><head><meta name=x><meta charset=\"windows-1251\"/>",
    ])
    func `the page's own charset counts where none is declared beside it`(_ head: String) throws {
        let page = Array(head.utf8) + [0xC6]
        #expect(try text(page) == "Ж")
        #expect(try text(page, charset: "windows-1252") == "Æ")
        #expect(try text(Array(head.utf8) + [0x21], charset: "utf-8") == "!")
    }

    @Test func `nesting, attributes and stray ends without number take linear time`() throws {
        let count = 100_000
        let pages = [
            String(repeating: "<div>", count: count) + "x", String(repeating: "<b>", count: count) + "x",
            "<div hidden>" + String(repeating: "<i><li>", count: count) + "</div>",
            String(repeating: "<p hidden>", count: count) + "</p>x", String(repeating: "</i>", count: count) + "x",
            "<a" + (0..<count).map { " a\($0)=''" }.joined() + ">x", String(repeating: "<!--", count: count) + "-->x",
            "<script>" + String(repeating: "</scrip", count: count) + "</script>x",
            String(repeating: "<", count: count),
            String(repeating: "&amp", count: count), "<h1>" + String(repeating: "<h2>", count: count) + "x",
        ]
        for page in pages { _ = try text(page) }
    }

    /// Each tag would be compared with all that are open, up to the one that keeps it from ending anything.
    @Test func `tags that end nothing cost in a deep hidden element what they cost in a flat one`() throws {
        let (deep, tags) = (String(repeating: "<b>", count: 240), String(repeating: "<div></div>", count: 20_000))
        let (flat, nested) = ("<template>" + tags, "<template><p><button>" + deep + tags)
        _ = try text(flat)
        let (fast, slow) = try (
            ContinuousClock().measure { _ = try text(flat) }, ContinuousClock().measure { _ = try text(nested) }
        )
        #expect(slow < fast * 4)
    }

    @Test func `text beyond the limit is refused`() {
        #expect(throws: ExtractionFault.tooMuchText) {
            try HTMLText.extract(Array("<p>abcdef".utf8), charset: nil, mostBytes: 5)
        }
    }

    @Test func `every prefix and every changed byte of a page is read`() throws {
        let page = Array(
            "<!doctype html><title>T&amp;</title><h1 a='b'>H</h1><!--c--><p hidden>d<pre>\ne</pre>&eacute;é".utf8)
        for count in 0...page.count { _ = try text(Array(page[..<count])) }
        for position in page.indices {
            for byte in [0x20, 0x21, 0x22, 0x26, 0x27, 0x2D, 0x2F, 0x3C, 0x3E, 0x80, 0xFF] as [UInt8] {
                var changed = page
                changed[position] = byte
                _ = try text(changed)
            }
        }
    }

    @Test func `the attributes of a tag are read by name`() throws {
        var tokens = HTMLTokens(Array("<a HREF=/x?a=1&amp;b&copy=2 title = 'q\"' empty href=second data-x>".utf8))
        guard case .start(let tag)? = tokens.next() else { throw ExtractionFault.notText }
        #expect(tag.name == "a")
        #expect(tag["href"] == "/x?a=1&b&copy=2")
        #expect(tag["title"] == "q\"")
        #expect(tag["empty"] == "" && tag["data-x"] == "")
        #expect(tag["data"] == nil)
    }

    private func text(_ page: String) throws -> String { try text(Array(page.utf8)) }

    private func text(_ page: [UInt8], charset: String? = nil) throws -> String {
        let text = try HTMLText.extract(page, charset: charset, mostBytes: 1 << 20)
        return String(decoding: text.bytes, as: UTF8.self)
    }
}
