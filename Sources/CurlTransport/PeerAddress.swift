import CCurl  // libcurl's header brings `sockaddr`; which module then owns it depends on the build
import Formats
import Glibc

/// The reach of an address, which decides whether a provider may have it. Ordered from harmless to forbidden.
enum AddressReach: Int, Comparable, Sendable {
    /// On the public Internet.
    case global
    /// This machine or its network: refused, unless private addresses are allowed for trials and tests.
    case local
    /// Never a provider: metadata services, link-local, unspecified, multicast, reserved, documentation.
    case forbidden

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The address of a peer as the socket will use it, after all spelling and name resolution.
struct PeerAddress: Hashable, Sendable {
    let address: IPAddress
    /// It came as the IPv6 address that an IPv4 one is mapped to (RFC 4291 § 2.5.5.2).
    let isMapped: Bool

    /// `nil` for anything but IPv4 and IPv6, and for a structure too short for its family.
    init?(_ address: UnsafePointer<sockaddr>, length: Int) {
        let bytes = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET where length >= MemoryLayout<sockaddr_in>.size:
            let socketAddress = bytes.loadUnaligned(as: sockaddr_in.self)
            self.address = IPAddress(v4: UInt32(bigEndian: socketAddress.sin_addr.s_addr))
            isMapped = false
        case AF_INET6 where length >= MemoryLayout<sockaddr_in6>.size:
            var address = bytes.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            let bits = withUnsafeBytes(of: &address) { UInt128(bigEndian: $0.loadUnaligned(as: UInt128.self)) }
            self.address = IPAddress(bits: bits)
            isMapped = self.address.isV4
        default:
            return nil
        }
    }

    /// The address that stands for a host itself; `nil` for a name.
    ///
    /// - Parameter host: as `StrictURL` has it, which knows one spelling of each.
    init?(host: String) {
        guard let address = IPAddress(host: host) else { return nil }
        self.address = address
        isMapped = host.hasPrefix("[") && address.isV4
    }

    /// A mapped address reaches an IPv4 peer by another spelling, which no provider needs.
    var reach: AddressReach { isMapped ? max(.local, address.reach) : address.reach }
}

/// The rules are the special-purpose registries of IANA (RFC 6890 § 2.2) and what is known to be dangerous beside them.
extension IPAddress {
    fileprivate var reach: AddressReach {
        // An address may lie in several networks; the strictest decides.
        let listed = Self.special.reduce(AddressReach.global) { strictest, network in
            network.block.contains(self) ? max(strictest, network.reach) : strictest
        }
        if isV4 || listed != .global { return listed }
        // An IPv4 peer by another spelling once more (::/96, RFC 4291 § 2.5.5.1).
        if Self.v4Compatible.contains(self) { return max(.local, IPAddress(v4: lastV4).reach) }
        if Self.translations.contains(where: { $0.contains(self) }) { return IPAddress(v4: lastV4).reach }
        if Self.sixToFour.contains(self) { return IPAddress(v4: UInt32(truncatingIfNeeded: bits >> 80)).reach }
        // All else is no global unicast: link-local fe80::/10, the old site-local fec0::/10, multicast ff00::/8,
        // discard 100::/64, segment routing 5f00::/16, and what IANA has not given out.
        return Self.globalUnicast.contains(self) ? .global : .forbidden
    }

    private var lastV4: UInt32 { UInt32(truncatingIfNeeded: bits) }

    private static let globalUnicast = CIDR(v6: 0x2000, length: 3)
    private static let v4Compatible = CIDR(v6: 0, length: 96)
    /// 6to4 (RFC 3056 § 2): the 32 bits after the prefix are an IPv4 address.
    private static let sixToFour = CIDR(v6: 0x2002, length: 16)
    /// NAT64 (RFC 6052 § 2.1), and local NAT64 (RFC 8215 § 4), of which only the usual /96 is read: where the IPv4
    /// address lies in a shorter prefix, only the network's owner knows.
    private static let translations = [CIDR(v6: 0x64, 0xff9b, length: 96), CIDR(v6: 0x64, 0xff9b, 1, length: 96)]

    private static let special: [(block: CIDR, reach: AddressReach)] = [
        (CIDR(v4: 0, 0, 0, 0, length: 8), .forbidden),  // "this network", RFC 791 § 3.2; 0.0.0.0 is loopback on Linux
        (CIDR(v4: 10, 0, 0, 0, length: 8), .local),  // private, RFC 1918 § 3
        (CIDR(v4: 100, 64, 0, 0, length: 10), .local),  // carrier-grade NAT, RFC 6598 § 7
        (CIDR(v4: 100, 100, 100, 200, length: 32), .forbidden),  // metadata of Alibaba Cloud
        (CIDR(v4: 127, 0, 0, 0, length: 8), .local),  // loopback, RFC 1122 § 3.2.1.3
        (CIDR(v4: 168, 63, 129, 16, length: 32), .forbidden),  // the host of an Azure machine; looks public
        (CIDR(v4: 169, 254, 0, 0, length: 16), .forbidden),  // link-local, RFC 3927 § 8; metadata of most clouds
        (CIDR(v4: 172, 16, 0, 0, length: 12), .local),  // private, RFC 1918 § 3
        (CIDR(v4: 192, 0, 0, 0, length: 24), .forbidden),  // IETF protocols, RFC 6890 § 2.2.2; metadata of Oracle Cloud
        (CIDR(v4: 192, 0, 2, 0, length: 24), .forbidden),  // documentation, RFC 5737 § 3
        (CIDR(v4: 192, 88, 99, 0, length: 24), .forbidden),  // old 6to4 relays, RFC 7526 § 4
        (CIDR(v4: 192, 168, 0, 0, length: 16), .local),  // private, RFC 1918 § 3
        (CIDR(v4: 198, 18, 0, 0, length: 15), .forbidden),  // benchmarking, RFC 2544 appendix C.2.2
        (CIDR(v4: 198, 51, 100, 0, length: 24), .forbidden),  // documentation, RFC 5737 § 3
        (CIDR(v4: 203, 0, 113, 0, length: 24), .forbidden),  // documentation, RFC 5737 § 3
        (CIDR(v4: 224, 0, 0, 0, length: 4), .forbidden),  // multicast, RFC 1112 § 4
        (CIDR(v4: 240, 0, 0, 0, length: 4), .forbidden),  // reserved, RFC 1112 § 4; broadcast, RFC 919 § 7
        (CIDR(v6: 0, length: 128), .forbidden),  // ::, the unspecified address
        (CIDR(v6: 0, 0, 0, 0, 0, 0, 0, 1, length: 128), .local),  // ::1, loopback
        (CIDR(v6: 0xfc00, length: 7), .local),  // unique local, RFC 4193 § 3.1
        (CIDR(v6: 0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254, length: 128), .forbidden),  // metadata of Amazon
        (CIDR(v6: 0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254, length: 128), .forbidden),  // metadata of Google
        (CIDR(v6: 0x2001, length: 23), .forbidden),  // IETF protocols: Teredo 2001::/32, benchmarking, ORCHID
        (CIDR(v6: 0x2001, 0xdb8, length: 32), .forbidden),  // documentation, RFC 3849 § 2
        (CIDR(v6: 0x3fff, length: 20), .forbidden),  // documentation, RFC 9637 § 6
    ]
}
