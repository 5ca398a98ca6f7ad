/// A network: one address, or all that share a prefix (CIDR, RFC 4632 § 3.1; for IPv6, RFC 4291 § 2.3).
public struct CIDR: Hashable, Sendable {
    private let base: IPAddress
    private let mask: UInt128

    /// - Parameter length: the prefix's length in bits, of 128; for IPv4 the 96 of the mapped prefix are counted in.
    private init(_ address: IPAddress, mappedLength length: Int) {
        let open = 128 - length
        mask = open == 128 ? 0 : ~UInt128(0) << UInt128(open)
        base = IPAddress(bits: address.bits & mask)
    }

    /// A network of IPv4, from the four numbers that it is written in. For constants: checks none of them.
    package init(v4 a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, length: Int) {
        self.init(IPAddress(v4: a << 24 | b << 16 | c << 8 | d), mappedLength: 96 + length)
    }

    /// A network of IPv6, from the sixteen-bit groups that it begins with; the others are 0. For constants, likewise.
    package init(v6 groups: UInt128..., length: Int) {
        let bits = groups.prefix(8).enumerated().reduce(UInt128(0)) { $0 | $1.element << UInt128(112 - 16 * $1.offset) }
        self.init(IPAddress(bits: bits), mappedLength: length)
    }

    /// Reads `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`; `nil` for anything else. Bits behind the prefix are ignored.
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
        self.init(address, mappedLength: 128 - width + length)
    }

    /// Tells whether the address is in the network and of its version: `::/0` holds no IPv4 address.
    package func contains(_ address: IPAddress) -> Bool {
        address.isV4 == base.isV4 && address.bits & mask == base.bits
    }
}
