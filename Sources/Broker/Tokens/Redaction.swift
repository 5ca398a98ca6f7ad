import Formats
import Transport

extension TransportRequest {
    /// The values that were sent, but for those that are no secret: a provider may repeat them in an error.
    var sentValues: [String] {
        let plain: Set = ["grant_type", "client_id", "redirect_uri", "scope", "resource", "client_assertion_type"]
        let query = url.utf8.firstIndex(of: UInt8(ascii: "?")).map { String(url[url.utf8.index(after: $0)...]) }
        var pairs = query.flatMap { Percent.pairs($0) } ?? []
        if let body {
            if case .object(let members)? = JSONValue(json: body) {
                pairs += members.compactMap { name, value in value.string.map { (name: name, value: $0) } }
            } else {
                pairs += Percent.pairs(String(decoding: body, as: UTF8.self)) ?? []
            }
        }
        return pairs.filter { !plain.contains($0.name) }.map(\.value)
    }
}

extension String {
    /// The first 400 bytes of a provider's words, without `secrets` and without words that look like one: providers put
    /// codes and tokens into their errors.
    func hiding(_ secrets: [String]) -> String {
        // By words, and their beginnings: a secret that is cut or has a mark behind it is hidden too.
        let known = secrets.flatMap { $0.utf8.split { !$0.isOfTokens } }.filter { $0.count >= 4 }
            .map { Array($0.prefix(16)) }
        var shown: [UInt8] = []
        var rest = Array(prefix(bytes: 400).utf8)[...]
        while let first = rest.first {
            let word = rest.prefix { $0.isOfTokens }
            if word.isEmpty {
                shown.append(first)
            } else if word.looksSecret || known.contains(where: { word.contains($0) }) {
                shown += "[hidden]".utf8
            } else {
                shown += word
            }
            rest = rest.dropFirst(max(word.count, 1))
        }
        if utf8.count > 400 { shown += "…".utf8 }
        return String(decoding: shown, as: UTF8.self)
    }
}

extension UInt8 {
    /// Tells whether the byte may be part of a token (`b64token`, RFC 6750 § 2.1).
    fileprivate var isOfTokens: Bool { isASCIILetterOrDigit || "-._~+/=".utf8.contains(self) }
}

extension ArraySlice<UInt8> {
    /// Tells whether it is longer than words are, or long with a digit in it, as codes, keys and tokens are.
    fileprivate var looksSecret: Bool {
        count >= 32 || (count >= 12 && contains { (0x30...0x39).contains($0) })
    }
}
