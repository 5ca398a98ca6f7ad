import Formats

/// The links of an HTML page.
struct PageLinks: Sendable {
    /// In their order, each once.
    let addresses: [WebAddress]
    /// The page has more links than were read, or none that can be.
    let isCut: Bool

    /// Of one page; a page of a hundred megabytes has millions.
    private static let most = 10_000

    static let none = PageLinks(addresses: [], isCut: false)

    init(addresses: [WebAddress], isCut: Bool) {
        self.addresses = addresses
        self.isCut = isCut
    }

    /// Reads where the page's `<a href>` lead; relative ones from its `<base>`.
    init(in html: [UInt8], charset: String?, at address: WebAddress) {
        guard let text = TextDecoding.text(of: html, charset: charset ?? HTMLCharset.declared(in: html)) else {
            self.init(addresses: [], isCut: true)
            return
        }
        var (tokens, references, base) = (HTMLTokens(text, runsScripts: false), [String](), WebAddress?.none)
        while references.count <= Self.most, let token = tokens.next() {
            guard case .start(let tag) = token else { continue }
            switch tag.name {
            case "a": if let reference = tag["href"] { references.append(reference) }
            // HTML § 4.2.3: the first counts, for all links of the page.
            case "base" where base == nil: base = tag["href"].flatMap { address.resolving($0) }
            default: break
            }
        }
        var known: Set<WebAddress> = []
        let addresses = references.prefix(Self.most).compactMap { (base ?? address).resolving($0) }
            .filter { known.insert($0).inserted }
        self.init(addresses: addresses, isCut: references.count > Self.most)
    }

    func filter(_ isWanted: (WebAddress) -> Bool) -> PageLinks {
        PageLinks(addresses: addresses.filter(isWanted), isCut: isCut)
    }
}
