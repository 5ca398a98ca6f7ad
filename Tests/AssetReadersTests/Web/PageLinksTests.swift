import Formats
import Testing

@testable import AssetReaders

@Suite struct PageLinksTests {
    private static func links(_ html: String, charset: String? = nil) -> [String] {
        WebAddress("https://a.example/docs/page").map {
            PageLinks(in: Array(html.utf8), charset: charset, at: $0).addresses.map(\.text)
        } ?? []
    }

    @Test func `links are those of anchors, in order, each once, without fragments`() {
        let html = """
            <link href="style.css"><A HREF='/b'>b</A> <a class=x href=c>c</a><a href="b#top">b</a>
            <a name="d">d</a><area href="e"><a href="/b#x">again</a><a
            href = "?f=1&amp;g=2">f</a><a href="">self</a>
            """
        #expect(
            Self.links(html) == [
                "https://a.example/b", "https://a.example/docs/c", "https://a.example/docs/b",
                "https://a.example/docs/page?f=1&g=2", "https://a.example/docs/page",
            ])
    }

    /// HTML § 4.2.3
    @Test func `relative links start from the first base`() {
        #expect(
            Self.links(#"<a href="x">x</a><base href="/other/"><base href="/no/"><a href="y">y</a>"#)
                == ["https://a.example/other/x", "https://a.example/other/y"])
        #expect(
            Self.links(#"<base target="_top"><base href="https://b.example/"><a href="x">"#) == ["https://b.example/x"])
    }

    @Test(arguments: [
        #"<!-- <a href="x"> -->"#, #"<script>"<a href='x'>"</script>"#, #"<style><a href="x"></style>"#,
        #"<textarea><a href="x"></textarea>"#, #"<title><a href="x"></TITLE >"#, #"<!doctype <a href="x">"#,
        #"<p title='<a href="x">'>"#, #"</a href="x">"#, #"< a href="x">"#, #"<a data-href="x">"#, #"<abbr href="x">"#,
        #"<a href="x""#, #"<script><a href="x">"#, #"<!-- <a href="x">"#, #"<plaintext><a href="x">"#,
        #"<a href="mailto:a@b.example"><a href="javascript:x()"><a href="//">"#, #"<a =href="x">"#, "a href=x>", "",
        "<", "<a",
    ])
    func `what only looks like a link is none`(_ html: String) {
        #expect(Self.links(html).isEmpty)
    }

    @Test(arguments: [
        #"<!--><a href="x">"#, #"<!---><a href="x">"#, #"<script></scripts></script><a href="x">"#,
        #"<?php ?><a href="x">"#, #"<a href=x/>"#, #"<a/href="x"/>"#, #"<a href="x" href="y">"#,
        #"<noscript><a href="x"></noscript>"#, #"<a nofollow rel=nofollow href="x">"#, #"<br><<a href="x">"#,
        #"</><a href="x">"#, #"</p class=">"><a href="x">"#,
    ])
    func `a link is found whatever stands around it`(_ html: String) {
        #expect(Self.links(html).first?.hasPrefix("https://a.example/docs/x") == true)
    }

    @Test func `letters beyond ASCII are told by the declared charset`() throws {
        let html: [UInt8] = Array("<a href=\"".utf8) + [0xFC] + Array("ber\">".utf8)
        let page = try #require(WebAddress("https://a.example/"))
        #expect(
            PageLinks(in: html, charset: "iso-8859-1", at: page).addresses.map(\.text) == [
                "https://a.example/%C3%BCber"
            ])
    }

    /// HTML § 4.2.5.4
    @Test func `letters beyond ASCII are told by the page's own charset, where the site tells none`() throws {
        let html: [UInt8] = Array("<meta charset=koi8-r><a href=\"".utf8) + [0xC1] + Array("\">".utf8)
        let page = try #require(WebAddress("https://a.example/"))
        #expect(PageLinks(in: html, charset: nil, at: page).addresses.map(\.text) == ["https://a.example/%D0%B0"])
    }

    @Test func `a page that is no text has links that nobody knows`() throws {
        let page = try #require(WebAddress("https://a.example/"))
        #expect(PageLinks(in: Array("<a href=x>\0".utf8), charset: nil, at: page).isCut)
    }

    @Test(arguments: ["<a href=\"x", "<", "<a ", "<!--", "</", "<script>", "<a href=x ", "=", "<a =", "<a '"])
    func `megabytes of anything are read in one pass`(_ piece: String) {
        #expect(Self.links(String(repeating: piece, count: 20_000)).count <= 10_000)
    }

    @Test func `a page of more links than are read says so`() throws {
        let page = try #require(WebAddress("https://a.example/"))
        let (some, all) = (Array(String(repeating: "<a href=x>", count: 10_000).utf8), Array("<a href=y>".utf8))
        #expect(!PageLinks(in: some, charset: nil, at: page).isCut)
        #expect(PageLinks(in: some + all, charset: nil, at: page).isCut)
    }
}
