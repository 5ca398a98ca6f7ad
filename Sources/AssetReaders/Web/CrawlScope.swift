import Formats

/// The part of the web that belongs to a website: the origin of its address, under the address's directory.
struct CrawlScope: Sendable {
    private let origin: Origin
    private let directory: String

    init(of address: WebAddress) {
        origin = address.origin
        directory = address.directory
    }

    func contains(_ address: WebAddress) -> Bool {
        address.origin == origin && address.url.rest.utf8.starts(with: directory.utf8)
    }
}
