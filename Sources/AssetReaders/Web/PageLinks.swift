import Formats

/// The links of an HTML page.
struct PageLinks: Sendable {
    /// In their order, each once.
    let addresses: [WebAddress]
    /// The page has more links than were read.
    let isCut: Bool

    /// Of one page; a page of a hundred megabytes has millions.
    private static let most = 10_000

    static let none = PageLinks(addresses: [], isCut: false)

    private init(addresses: [WebAddress], isCut: Bool) {
        self.addresses = addresses
        self.isCut = isCut
    }

    /// Reads where the page's `<a href>` lead; relative ones from its `<base>`.
    init(in html: [UInt8], charset: String?, at address: WebAddress) {
        var tags = HTMLTags(TextDecoding.text(of: html, charset: charset) ?? [])
        var (references, base) = ([String](), WebAddress?.none)
        while references.count <= Self.most, let tag = tags.next() {
            guard let reference = tag.attributes["href"] else { continue }
            switch tag.name {
            case "a": references.append(reference)
            // HTML § 4.2.3: the first counts, for all links of the page.
            case "base" where base == nil: base = address.resolving(reference)
            default: break
            }
        }
        var known: Set<WebAddress> = []
        isCut = references.count > Self.most
        addresses = references.prefix(Self.most).compactMap { (base ?? address).resolving($0) }
            .filter { known.insert($0).inserted }
    }
}
