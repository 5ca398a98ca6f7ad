/// The charset that a page declares itself.
enum HTMLCharset {
    /// Of a `meta` element within the first 1024 bytes (HTML § 4.2.5.4 and § 13.2.3.2); `nil` where there is none.
    static func declared(in bytes: [UInt8]) -> String? {
        for token in HTMLTokens(Array(bytes.prefix(1024))) {
            guard case .start(let tag) = token, tag.name == "meta" else { continue }
            let declared = tag["charset"] ?? charset(ofContentType: tag)
            guard let label = declared?.lowercased() else { continue }
            // Whoever could read this could read ASCII.
            return label.hasPrefix("utf-16") ? "utf-8" : label
        }
        return nil
    }

    private static func charset(ofContentType tag: HTMLTag) -> String? {
        guard tag["http-equiv"]?.lowercased() == "content-type", let content = tag["content"]?.lowercased(),
            content.utf8.count <= 256, let range = content.firstRange(of: "charset=")
        else { return nil }
        let value = content[range.upperBound...].drop { $0 == "\"" || $0 == "'" || $0 == " " }
        return String(value.prefix { $0 != "\"" && $0 != "'" && $0 != ";" && $0 != " " })
    }
}
