import Assets
import Formats
import Foundation
import Testing
import Transport

@testable import AssetReaders

@Suite struct SitemapReaderTests {
    private static let site = "https://a.example/"
    private static let url = site + "sitemap.xml"
    private let sources = TestSources()
    private var transport: ScriptedTransport { sources.transport }

    private static let namespace = "xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\""

    private static func pages(_ entries: (String, String?)...) -> String {
        let urls = entries.map { location, time in
            "<url><loc>\n  \(location)\n</loc>\(time.map { "<lastmod>\($0)</lastmod>" } ?? "")</url>"
        }
        return "<?xml version=\"1.0\"?><urlset \(namespace)>\(urls.joined())</urlset>"
    }

    private static func index(_ locations: String...) -> String {
        let sitemaps = locations.map { "<sitemap><loc>\($0)</loc></sitemap>" }
        return "<sitemapindex \(namespace)>\(sitemaps.joined())</sitemapindex>"
    }

    private func read(
        maxPages: Int = 1000, since versions: [String: ItemVersion] = [:]
    ) async throws -> Reading {
        try await Reading(
            of: try sources.reader("sitemap", ["url": .string(Self.url), "maxPages": .integer(maxPages)]),
            since: versions)
    }

    private func fault(_ answer: ScriptedTransport.Answer) async throws -> SourceFault? {
        transport.answer(Self.url, answer)
        let reader = try sources.reader("sitemap", ["url": .string(Self.url)])
        return await AssetReadersTests.fault { () async throws(SourceFault) in try await reader.list(after: nil) }
    }

    @Test func `pages of the sitemap's origin are listed, each once`() async throws {
        transport.answer(
            Self.url,
            .body(
                Self.pages(
                    (Self.site + "a?x=1&amp;y=2", nil), ("https://b.example/b", nil), (Self.site + "c#x", nil),
                    (Self.site + "c", nil), ("", nil), ("/relative", nil), ("http://a.example/d", nil)),
                "application/xml"))
        transport.answer(Self.site + "c", .html("c"))
        let reading = try await read()
        #expect(reading.listed.map(\.key) == [Self.site + "a?x=1&y=2", Self.site + "c"])
        #expect(reading.listed.map(\.fileName) == ["a", "c"])
        #expect(reading.isComplete && !reading.keepsVanished)
        #expect(reading.texts == [Self.site + "c": "c"])
        #expect(reading.absent == [Self.site + "a?x=1&y=2"])
    }

    @Test func `links in pages are not followed`() async throws {
        transport.answer(Self.url, .body(Self.pages((Self.site + "a", nil)), "text/xml"))
        transport.answer(Self.site + "a", .html("<a href=\"b\">"))
        #expect(try await read().keys == [Self.site + "a"])
    }

    @Test func `locations of extensions are none`() async throws {
        let xml = """
            <urlset \(Self.namespace) xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"><url>
            <image:image><image:loc>https://a.example/image</image:loc></image:image><loc>https://a.example/page</loc>
            <image:loc>https://a.example/other</image:loc></url></urlset>
            """
        transport.answer(Self.url, .body(xml, "application/xml"))
        #expect(try await read().listed.map(\.key) == [Self.site + "page"])
    }

    @Test func `sitemaps of an index are read one after the other, each once`() async throws {
        transport.answer(
            Self.url,
            .body(
                Self.index(
                    Self.site + "1.xml", Self.site + "2.xml", "https://b.example/3.xml", Self.url, Self.site + "1.xml"),
                "application/xml"))
        transport.answer(Self.site + "1.xml", .body(Self.pages((Self.site + "a", nil)), "application/xml"))
        transport.answer(
            Self.site + "2.xml", .body(Self.pages((Self.site + "a", nil), (Self.site + "b", nil)), "application/xml"))
        let reading = try await read()
        #expect(reading.listed.map(\.key) == [Self.site + "a", Self.site + "b"])
        #expect(reading.isComplete)
        #expect(
            transport.urls.filter { $0.hasSuffix("xml") } == [Self.url, Self.site + "1.xml", Self.site + "2.xml"])
    }

    @Test func `indexes of indexes end`() async throws {
        let sources = TestSources(
            ScriptedTransport { request in
                .body(Self.index(request.url + "x"), "application/xml")
            })
        sources.transport.answer("https://a.example/robots.txt", .status(404))
        let reading = try await Reading(of: try sources.reader("sitemap", ["url": .string(Self.url)]))
        #expect(sources.transport.requests.count == 5)
        #expect(!reading.isComplete)
    }

    @Test(arguments: [404, 500, 200])
    func `a sitemap of an index that cannot be read leaves the listing incomplete`(_ status: Int) async throws {
        transport.answer(Self.url, .body(Self.index(Self.site + "1.xml", Self.site + "2.xml"), "application/xml"))
        transport.answer(Self.site + "1.xml", .status(status, [], "<html>"))
        transport.answer(Self.site + "2.xml", .body(Self.pages((Self.site + "a", nil)), "application/xml"))
        let reading = try await read()
        #expect(reading.listed.map(\.key) == [Self.site + "a"])
        #expect(!reading.isComplete)
    }

    @Test func `with the most pages the listing ends, and is not whole`() async throws {
        transport.answer(Self.url, .body(Self.index(Self.site + "1.xml", Self.site + "2.xml"), "application/xml"))
        let three = Self.pages((Self.site + "a", nil), (Self.site + "b", nil), (Self.site + "c", nil))
        transport.answer(Self.site + "1.xml", .body(three, "application/xml"))
        let reading = try await read(maxPages: 2)
        #expect(reading.listed.map(\.key) == [Self.site + "a", Self.site + "b"])
        #expect(!reading.isComplete)
        #expect(!transport.urls.contains(Self.site + "2.xml"))
    }

    @Test func `a sitemap of as many pages as may be is whole`() async throws {
        transport.answer(Self.url, .body(Self.pages((Self.site + "a", nil), (Self.site + "b", nil)), "application/xml"))
        #expect(try await read(maxPages: 2).isComplete)
    }

    @Test func `a packed sitemap is unpacked, whatever it is called`() async throws {
        transport.answer(Self.url, .response(200, headers: [("content-type", "application/gzip")], body: packedSitemap))
        #expect(try await read().listed.map(\.key) == [Self.site + "packed"])
    }

    /// RFC 1952 § 2.2
    @Test func `a packed sitemap of several members is unpacked whole`() async throws {
        let members = try #require(Data(base64Encoded: packedMembers)).map { $0 }
        transport.answer(Self.url, .response(200, headers: [], body: members))
        let locations = ["one", "two", "three"].map { Self.site + $0 }
        #expect(try await read().listed.map(\.key) == locations)
        transport.answer(Self.url, .response(200, headers: [], body: members + [0, 0, 0]))
        #expect(try await read().listed.map(\.key) == locations)
        #expect(
            try await fault(.response(200, headers: [], body: Array(members.dropLast(9))))
                == .rejected("the sitemap of a.example cannot be read: its XML ends too early"))
    }

    @Test func `a packed sitemap that breaks off is refused`() async throws {
        let fault = try await fault(.response(200, headers: [], body: Array(packedSitemap.dropLast(20))))
        #expect(fault == .rejected("the sitemap of a.example cannot be read: its XML ends too early"))
    }

    @Test(arguments: [
        "", "<html></html>", "<urlset>", "<urlset><url></urlset>", "not xml", "{}",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><urlset></urlset>",
    ])
    func `what is no sitemap fails the source`(_ text: String) async throws {
        guard case .rejected(let why)? = try await fault(.body(text, "application/xml")) else {
            Issue.record("it was taken")
            return
        }
        #expect(why.hasPrefix("the sitemap of a.example cannot be read: "))
    }

    @Test func `a sitemap that is not there, or closed, fails the source`() async throws {
        #expect(try await fault(.status(404)) == .rejected("a.example answered 404"))
        transport.answer("https://a.example/robots.txt", .status(200, [], "User-agent: *\nDisallow: /sitemap"))
        #expect(try await fault(.html("")) == .addressRefused("robots.txt of a.example closes the sitemap"))
    }

    @Test func `pages that robots.txt closes are no documents`() async throws {
        transport.answer("https://a.example/robots.txt", .status(200, [], "User-agent: *\nDisallow: /a"))
        transport.answer(Self.url, .body(Self.pages((Self.site + "a", nil)), "application/xml"))
        #expect(try await read().absent == [Self.site + "a"])
        #expect(!transport.urls.contains(Self.site + "a"))
    }

    @Test func `a page of a site whose rules are not known fails, and is not gone`() async throws {
        transport.answer(Self.url, .body(Self.pages((Self.site + "a", nil)), "application/xml"))
        transport.answer(Self.site + "a", .redirect("https://b.example/"))
        transport.answer("https://b.example/robots.txt", .status(500))
        #expect(try await read().faults.keys.sorted() == [Self.site + "a"])
    }

    /// RFC 9110 § 15.4.3
    @Test func `a page that is kept and leaves the origin for now is not gone`() async throws {
        transport.answer(Self.url, .body(Self.pages((Self.site + "a", nil)), "application/xml"))
        transport.answer(Self.site + "a", .html("a"), .redirect("https://b.example/login"))
        transport.answer("https://b.example/login", .html("log in"))
        let first = try await read()
        #expect(
            try await read(since: first.versions).faults == [
                Self.site + "a": .rejected("a.example redirects this address to another site for now")
            ])
        transport.answer(Self.site + "a", .redirect("https://b.example/login", 301))
        #expect(try await read(since: first.versions).absent == [Self.site + "a"])
    }

    @Test func `a page that redirects within the origin is read, and none that leaves it`() async throws {
        transport.answer(Self.url, .body(Self.pages((Self.site + "a", nil), (Self.site + "b", nil)), "application/xml"))
        transport.answer(Self.site + "a", .redirect("/c"))
        transport.answer(Self.site + "c", .html("c"))
        transport.answer(Self.site + "b", .redirect("https://b.example/"))
        transport.answer("https://b.example/", .html("b"))
        let reading = try await read()
        #expect(reading.texts == [Self.site + "a": "c"])
        #expect(reading.absent == [Self.site + "b"])
    }

    // MARK: versions

    @Test func `the time of the last change is the version, else the page's own`() async throws {
        transport.answer(
            Self.url, .body(Self.pages((Self.site + "a", " 2027-01-01\n"), (Self.site + "b", nil)), "application/xml"))
        transport.answer(Self.site + "a", .html("a", [("etag", "\"1\"")]))
        transport.answer(Self.site + "b", .html("b", [("etag", "\"1\"")]), .status(304))
        let reader = try sources.reader("sitemap", ["url": .string(Self.url)])
        #expect(reader.listsChosenItems)
        let first = try await read()
        #expect(first.listed.map(\.version) == [ItemVersion("lastmod 2027-01-01"), nil])
        #expect(first.versions[Self.site + "a"] == ItemVersion("lastmod 2027-01-01"))
        let second = try await read(since: first.versions)
        #expect(second.unchanged == [Self.site + "b"])
    }

    @Test func `a page that got a time is not read anew for it`() async throws {
        transport.answer(
            Self.url, .body(Self.pages((Self.site + "a", nil)), "application/xml"),
            .body(Self.pages((Self.site + "a", "2027")), "application/xml"))
        transport.answer(Self.site + "a", .html("a"))
        let first = try await read()
        let second = try await read(since: first.versions)
        #expect(second.unchanged == [Self.site + "a"])
        #expect(second.versions == [Self.site + "a": ItemVersion("lastmod 2027")])
    }
}

/// `<urlset …><url><loc>https://a.example/packed</loc></url></urlset>`, packed by gzip.
private let packedSitemap: [UInt8] = [
    0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x2D, 0x8D, 0x4B, 0x0E, 0x80, 0x20, 0x10, 0x43,
    0xAF, 0x62, 0x38, 0x00, 0x75, 0xAB, 0x19, 0xB9, 0x0B, 0xC1, 0x89, 0x1A, 0x41, 0x08, 0x83, 0xC1, 0xE3, 0x8B,
    0x9F, 0x65, 0xDB, 0xF7, 0x52, 0x3A, 0xB3, 0x17, 0x2E, 0xDD, 0x15, 0xFC, 0x21, 0x93, 0x5A, 0x4B, 0x49, 0x23,
    0x50, 0x6B, 0xD5, 0xB2, 0x15, 0x0E, 0x36, 0x89, 0x8E, 0x79, 0x81, 0xB8, 0xB5, 0x05, 0xC1, 0x5F, 0xA2, 0xD7,
    0x83, 0x32, 0xD4, 0x5C, 0x43, 0x3E, 0x3A, 0xF3, 0x68, 0xD2, 0x3C, 0xAB, 0xF9, 0xB2, 0x21, 0x79, 0x46, 0xB2,
    0x6E, 0xE7, 0x99, 0xF0, 0xAC, 0x84, 0x17, 0xC4, 0x77, 0x65, 0x6E, 0x82, 0x17, 0xED, 0xB7, 0x73, 0x00, 0x00,
    0x00,
]

/// A sitemap of three pages, packed by gzip in four pieces, of which the second is empty.
private let packedMembers =
    "H4sIAAAAAAACAy2LSw6AIAwFr2I4AHWrqdyFkEZMyicUA8cXDMs3bwbfwkJ164GjXMrXmk+A1pqWp1KwWXQqN4jzYwgsCLs+lMHR"
    + "GuTkzMxkdFZTtyEzQYqEMC+E31rqB8JZdaJvAAAAH4sIAAAAAAACAwMAAAAAAAAAAAAfiwgAAAAAAAIDS7bLKCkpKLbS10/US61I"
    + "zC3ISdUvKc+30c/JT7az0S8tyrEDAFU1q+gjAAAAH4sIAAAAAAACA7MpLcqxs8nJT7bLKCkpKLbS10/US61IzC3ISdUvyShKTbXR"
    + "B0na6IPVgcji1BI7AA6oKTE2AAAA"
