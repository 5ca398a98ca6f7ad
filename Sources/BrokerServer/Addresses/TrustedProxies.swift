import HTTPTypes

/// The proxies whose word about a client's address is taken.
public struct TrustedProxies: Sendable {
    private let blocks: [AddressBlock]

    public init(_ blocks: [AddressBlock] = []) {
        self.blocks = blocks
    }

    public var isEmpty: Bool { blocks.isEmpty }

    private func contain(_ address: IPAddress) -> Bool { blocks.contains { $0.contains(address) } }

    /// Who sent a request: the peer, or, where that is a trusted proxy, the last address before the trusted ones.
    ///
    /// What is left of that was written by whoever sent it, and is not looked at. Where a client sends one of the two
    /// headers through a proxy that writes only the other, they disagree, and neither is believed.
    func client(peer: IPAddress, _ headers: HTTPFields) -> IPAddress {
        guard contain(peer) else { return peer }
        let forwarded = headers[values: .forwarded]
        let forwardedFor = headers[values: .xForwardedFor]
        if forwarded.isEmpty, forwardedFor.isEmpty { return peer }
        let standard = forwarded.isEmpty ? nil : last(before: peer, in: forwarded, Self.node)
        let customary = forwardedFor.isEmpty ? nil : last(before: peer, in: forwardedFor) { $0 }
        guard let standard, let customary else { return standard ?? customary ?? peer }
        return standard == customary ? standard : peer
    }

    /// Goes back from hop to hop while they are trusted. A hop that is not an address ends the way at the last one
    /// known.
    private func last(
        before peer: IPAddress, in lines: [String], _ node: (Substring) -> Substring?
    ) -> IPAddress {
        var known = peer
        for line in lines.reversed() {
            // At every comma: no address has one, and so a quote that a client leaves open cannot swallow what a
            // proxy wrote behind it.
            for element in line.split(separator: ",", omittingEmptySubsequences: false).reversed() {
                guard let hop = node(element).flatMap(Self.address) else { return known }
                known = hop
                guard contain(hop) else { return hop }
            }
        }
        return known
    }

    /// The value of `for` in one element of `Forwarded` (RFC 7239 § 4).
    private static func node(_ element: Substring) -> Substring? {
        var found: Substring?
        for pair in element.split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, trim(parts[0]).lowercased() == "for" else { continue }
            guard found == nil else { return nil }
            found = trim(parts[1])
        }
        guard let value = found else { return nil }
        guard value.first == "\"" else { return value }
        guard value.utf8.count >= 2, value.last == "\"" else { return nil }
        return value.dropFirst().dropLast()
    }

    /// An address that may have a port, which IPv6 then needs brackets for (RFC 7239 § 6).
    private static func address(_ hop: Substring) -> IPAddress? {
        let hop = trim(hop)
        if hop.first == "[" {
            guard let end = hop.firstIndex(of: "]") else { return nil }
            guard isPort(hop[hop.index(after: end)...]) else { return nil }
            return IPAddress(hop[hop.index(after: hop.startIndex)..<end])
        }
        if let colon = hop.firstIndex(of: ":"), hop.lastIndex(of: ":") == colon {
            return isPort(hop[colon...]) ? IPAddress(hop[..<colon]) : nil
        }
        return IPAddress(hop)
    }

    /// Nothing, or a colon and a port's number or name.
    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || (text.first == ":" && (2...8).contains(text.utf8.count))
    }

    private static func trim(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text = text.dropFirst() }
        while let last = text.last, last == " " || last == "\t" { text = text.dropLast() }
        return text
    }
}

extension HTTPField.Name {
    fileprivate static let forwarded = HTTPField.Name("Forwarded")!
    fileprivate static let xForwardedFor = HTTPField.Name("X-Forwarded-For")!
}
