import Assets
import Formats
import Testing
import Transport

@testable import AssetReaders

@Suite struct PageVersionTests {
    private static func version(
        _ headers: [(name: String, value: String)] = [], links: Int = 0, isCut: Bool = false, address: String? = nil
    ) -> PageVersion {
        let links = (0..<links).compactMap { WebAddress("https://a.example/page/number/\($0)") }
        return PageVersion(
            of: TransportResponse(status: 200, headers: headers, body: Array("text".utf8)),
            links: PageLinks(addresses: links, isCut: isCut), at: address.flatMap { WebAddress($0) })
    }

    @Test func `a version comes back as it was kept`() {
        let version = Self.version(
            [("etag", "\"a\\b\""), ("last-modified", "x")], links: 3, address: "https://a.example/b")
        #expect(PageVersion(version.item) == version)
        #expect(version.conditions.map(\.name) == ["if-none-match", "if-modified-since"])
        #expect(version.conditions.map(\.value) == ["\"a\\b\"", "x"])
    }

    @Test func `the same page is the same version, byte for byte`() {
        let (one, two) = (Self.version([("etag", "\"a\"")], links: 9), Self.version([("etag", "\"a\"")], links: 9))
        #expect(one.item.text.utf8.elementsEqual(two.item.text.utf8))
    }

    /// They could not be told again by a site that says "not modified".
    @Test func `with more links than are kept nothing is asked conditionally`() {
        let version = Self.version([("etag", "\"a\"")], links: 3000)
        #expect(version.conditions.isEmpty)
        #expect(version.item.text.utf8.count < 1000)
    }

    @Test func `where not all links are known nothing is asked conditionally`() {
        #expect(Self.version([("etag", "\"a\"")], links: 3, isCut: true).conditions.isEmpty)
    }

    @Test(arguments: ["\"a\u{1}\"", "ä", "", String(repeating: "x", count: 1025)])
    func `a validator that cannot be sent back is not kept`(_ value: String) {
        #expect(Self.version([("etag", value)]).validators == nil)
    }

    @Test(arguments: ["", "lastmod 2027-01-01", "{}", "[]", "{\"etag\": \"x\"}"])
    func `a version of another kind is none`(_ text: String) {
        #expect(PageVersion(ItemVersion(text)) == nil)
    }
}
