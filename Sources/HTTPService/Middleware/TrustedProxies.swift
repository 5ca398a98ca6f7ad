public import Formats
import HTTPTypes

/// The proxies whose word about a client's address is taken.
public struct TrustedProxies: Sendable {
    private let blocks: [CIDR]

    /// - Parameter blocks: the proxies' addresses (`http.trustedProxies`). Without any, the peer is the client.
    public init(_ blocks: [CIDR] = []) {
        self.blocks = blocks
    }

    /// No proxy is trusted: behind one, all clients have its address.
    public var isEmpty: Bool { blocks.isEmpty }

    private func contain(_ address: IPAddress) -> Bool { blocks.contains { $0.contains(address) } }

    /// The sender of a request: the peer, or, where that is a trusted proxy, the last address before the trusted ones.
    ///
    /// The addresses before that one were written by the sender, and are not looked at. Where a client sends one of the
    /// two headers through a proxy that writes only the other, they disagree, and neither is believed.
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
        before peer: IPAddress, in lines: [String], _ node: (Bytes) -> Bytes?
    ) -> IPAddress {
        var known = peer
        for line in lines.reversed() {
            // At every comma: no address has one, and so a quote that a client leaves open cannot swallow what a
            // proxy wrote behind it.
            for element in line.utf8.split(separator: Self.comma, omittingEmptySubsequences: false).reversed() {
                guard let hop = node(element).flatMap(Self.address) else { return known }
                known = hop
                guard contain(hop) else { return hop }
            }
        }
        return known
    }

    /// Strangers write what stands before the trusted hops: read by bytes, in a time that they cannot stretch.
    private typealias Bytes = Substring.UTF8View

    private static let comma = UInt8(ascii: ",")
    private static let colon = UInt8(ascii: ":")
    private static let underscore = UInt8(ascii: "_")
    private static let quote = UInt8(ascii: "\"")

    /// The value of `for` in one element of `Forwarded` (RFC 7239 § 4).
    private static func node(_ element: Bytes) -> Bytes? {
        var found: Bytes?
        for pair in element.split(separator: UInt8(ascii: ";")) {
            guard let equals = pair.firstIndex(of: UInt8(ascii: "=")),
                HeaderValue.lowercased(HeaderValue.trimmed(pair[..<equals])) == "for"
            else { continue }
            guard found == nil else { return nil }
            found = HeaderValue.trimmed(pair[pair.index(after: equals)...])
        }
        guard let value = found else { return nil }
        guard value.first == quote else { return value }
        guard value.count >= 2, value.last == quote else { return nil }
        return value.dropFirst().dropLast()
    }

    /// An address that may have a port, which IPv6 then needs brackets for (RFC 7239 § 6).
    private static func address(_ hop: Bytes) -> IPAddress? {
        let hop = HeaderValue.trimmed(hop)
        if hop.first == UInt8(ascii: "[") {
            guard let end = hop.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            guard isPort(hop[hop.index(after: end)...]) else { return nil }
            return IPAddress(Substring(hop[hop.index(after: hop.startIndex)..<end]))
        }
        if let first = hop.firstIndex(of: colon), hop.lastIndex(of: colon) == first {
            return isPort(hop[first...]) ? IPAddress(Substring(hop[..<first])) : nil
        }
        return IPAddress(Substring(hop))
    }

    /// Nothing, or a colon and a port's number or hidden name (RFC 7239 § 6).
    private static func isPort(_ text: Bytes) -> Bool {
        guard !text.isEmpty else { return true }
        let port = text.dropFirst()
        guard text.first == colon, let first = port.first else { return false }
        if first == underscore {
            return port.count > 1 && port.allSatisfy { Percent.isUnreserved($0) && $0 != UInt8(ascii: "~") }
        }
        return port.count <= 5 && port.allSatisfy { (0x30...0x39).contains($0) }
    }
}

extension HTTPField.Name {
    fileprivate static let forwarded = HTTPField.Name("Forwarded")!
    fileprivate static let xForwardedFor = HTTPField.Name("X-Forwarded-For")!
}
