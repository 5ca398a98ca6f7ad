import Assets
import Formats
import Secrets
import Transport

/// The state of a page at its last reading: its bytes' hash, what its site can be asked by whether it changed, and the
/// links that it had then, since a site that says "not modified" does not tell them again.
struct PageVersion: Sendable, Hashable {
    /// SHA-256 of its bytes, in hexadecimal.
    let digest: String
    /// `nil` where its links are too many to keep, or not all known: it has to be read whole then.
    let validators: Validators?
    let links: [WebAddress]
    /// The address to which it redirected.
    let address: WebAddress?

    /// RFC 9110 § 8.8
    struct Validators: Sendable, Hashable {
        let entityTag: String?
        let lastModified: String?
    }

    /// Kept in one database row with the document.
    private static let mostLinkBytes = 64 << 10

    init(of response: TransportResponse, links: PageLinks, at address: WebAddress?) {
        digest = Digest(of: response.body).hex
        let isKept = !links.isCut && links.addresses.reduce(0) { $0 + $1.text.utf8.count } <= Self.mostLinkBytes
        let validators = Validators(
            entityTag: Self.kept(response.header("etag")), lastModified: Self.kept(response.header("last-modified")))
        let hasSome = validators.entityTag != nil || validators.lastModified != nil
        self.validators = isKept && hasSome ? validators : nil
        self.links = isKept ? links.addresses : []
        self.address = address
    }

    /// A validator goes back into a header as it came.
    private static func kept(_ value: String?) -> String? {
        value.flatMap { (1...1024).contains($0.utf8.count) && HeaderText.isValue($0) ? $0 : nil }
    }

    /// The headers that ask for the page only if it changed (RFC 9110 § 13.1.2, § 13.1.3).
    var conditions: [(name: String, value: String)] {
        [("if-none-match", validators?.entityTag), ("if-modified-since", validators?.lastModified)]
            .compactMap { name, value in value.map { (name, $0) } }
    }
}

extension PageVersion {
    /// `nil` for a version of another kind.
    init?(_ version: ItemVersion?) {
        guard let version, case .object(let members)? = JSONValue(json: Array(version.text.utf8)),
            let digest = members["digest"]?.string
        else { return nil }
        self.digest = digest
        let (entityTag, lastModified) = (members["etag"]?.string, members["modified"]?.string)
        let hasValidators = entityTag != nil || lastModified != nil
        validators = hasValidators ? Validators(entityTag: entityTag, lastModified: lastModified) : nil
        address = members["address"]?.string.flatMap { WebAddress($0) }
        if case .array(let links)? = members["links"] {
            self.links = links.compactMap { $0.string.flatMap { WebAddress($0) } }
        } else {
            links = []
        }
    }

    /// The text that a store keeps.
    var item: ItemVersion {
        var members: [String: JSONValue] = ["digest": .string(digest)]
        members["etag"] = validators?.entityTag.map { .string($0) }
        members["modified"] = validators?.lastModified.map { .string($0) }
        members["address"] = address.map { .string($0.text) }
        if !links.isEmpty { members["links"] = .array(links.map { .string($0.text) }) }
        return ItemVersion(String(decoding: (try? JSONValue.object(members).encoded()) ?? [], as: UTF8.self))
    }
}

extension Digest {
    /// In lower case, without prefix.
    var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0xF)]] }, as: UTF8.self)
    }
}
