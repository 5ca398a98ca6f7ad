/// An address, or all that begin alike (CIDR, RFC 4632).
public struct AddressBlock: Sendable {
    private let base: IPAddress
    private let mask: UInt128

    /// Reads `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else { return nil }
        // `::ffff:10.0.0.0/104` counts its bits as IPv6.
        let width = first.utf8.contains(UInt8(ascii: ":")) ? 128 : 32
        var length = width
        if parts.count == 2 {
            guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let given = Int(parts[1]), given <= width
            else { return nil }
            length = given
        }
        let open = width - length
        mask = open == 128 ? 0 : ~UInt128(0) << UInt128(open)
        base = IPAddress(bits: address.bits & mask)
    }

    package func contains(_ address: IPAddress) -> Bool {
        address.isV4 == base.isV4 && address.bits & mask == base.bits
    }
}
