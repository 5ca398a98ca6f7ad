import CCurl  // libcurl's header brings `sockaddr`; which module then owns it depends on the build
import Glibc

/// How far an address reaches, and so whether a provider may have it. From harmless to forbidden.
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
///
/// The rules are the special-purpose registries of IANA (RFC 6890) and what is known to be dangerous beside them.
enum PeerAddress: Hashable, Sendable {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    /// `nil` for anything but IPv4 and IPv6, and for a structure too short for its family.
    init?(_ address: UnsafePointer<sockaddr>, length: Int) {
        let bytes = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET where length >= MemoryLayout<sockaddr_in>.size:
            let socketAddress = bytes.loadUnaligned(as: sockaddr_in.self)
            self = .v4(UInt32(bigEndian: socketAddress.sin_addr.s_addr))
        case AF_INET6 where length >= MemoryLayout<sockaddr_in6>.size:
            var address = bytes.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            self = withUnsafeBytes(of: &address) { bytes in
                .v6(
                    high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                    low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
            }
        default:
            return nil
        }
    }

    var reach: AddressReach {
        switch self {
        case .v4(let bits): Self.reach(v4: bits)
        case .v6(let high, let low): Self.reach(v6: high, low)
        }
    }

    private static func reach(v4 bits: UInt32) -> AddressReach {
        // An address may lie in several networks; the strictest decides.
        networks.reduce(.global) { strictest, network in
            network.contains(bits) ? max(strictest, network.reach) : strictest
        }
    }

    private static func reach(v6 high: UInt64, _ low: UInt64) -> AddressReach {
        if let metadata = metadataV6[high], metadata == low { return .forbidden }
        let lastV4 = UInt32(truncatingIfNeeded: low)
        switch (high, low) {
        case (0, 0): return .forbidden  // ::, the unspecified address
        case (0, 1): return .local  // ::1, loopback
        // ::ffff:0:0/96, v4-mapped, and ::/96, v4-compatible: an IPv4 peer in disguise, which no provider needs.
        case (0, _) where low >> 32 == 0xffff || low >> 32 == 0: return max(.local, reach(v4: lastV4))
        // 64:ff9b::/96, NAT64 (RFC 6052), and 64:ff9b:1::/48, local NAT64 (RFC 8215), of which only the usual /96 is
        // read: where the IPv4 address lies in a longer or shorter prefix, only the network's owner knows.
        case (0x0064_ff9b_0000_0000, _) where low >> 32 == 0: return reach(v4: lastV4)
        case (0x0064_ff9b_0001_0000, _) where low >> 32 == 0: return reach(v4: lastV4)
        default: break
        }
        if high >> 57 == 0xfc >> 1 { return .local }  // fc00::/7, unique local (RFC 4193)
        // All else outside 2000::/3 is no global unicast: link-local fe80::/10, the old site-local fec0::/10, multicast
        // ff00::/8, discard 100::/64, segment routing 5f00::/16, and what IANA has not given out.
        guard high >> 61 == 0b001 else { return .forbidden }
        if high >> 48 == 0x2002 {  // 2002::/16, 6to4 (RFC 3056)
            return reach(v4: UInt32(truncatingIfNeeded: high >> 16))
        }
        let isReserved =
            high >> 41 == 0x2001_0000 >> 9  // 2001::/23, IETF protocols: Teredo 2001::/32, benchmarking, ORCHID
            || high >> 32 == 0x2001_0db8  // 2001:db8::/32, documentation (RFC 3849)
            || high >> 44 == 0x3fff0  // 3fff::/20, documentation (RFC 9637)
        return isReserved ? .forbidden : .global
    }

    /// Metadata services inside unique local networks, which `allowPrivateAddresses` would open: by high and low half.
    private static let metadataV6: [UInt64: UInt64] = [
        0xfd00_0ec2_0000_0000: 0x0254,  // Amazon
        0xfd20_00ce_0000_0000: 0x0254,  // Google
    ]

    private struct Network {
        var prefix: UInt32
        var length: UInt32
        var reach: AddressReach

        init(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, length: UInt32, _ reach: AddressReach) {
            prefix = a << 24 | b << 16 | c << 8 | d
            self.length = length
            self.reach = reach
        }

        func contains(_ bits: UInt32) -> Bool { (bits ^ prefix) >> (32 - length) == 0 }
    }

    private static let networks: [Network] = [
        Network(0, 0, 0, 0, length: 8, .forbidden),  // "this network", RFC 791; Linux takes 0.0.0.0 for loopback
        Network(10, 0, 0, 0, length: 8, .local),  // private, RFC 1918
        Network(100, 64, 0, 0, length: 10, .local),  // carrier-grade NAT, RFC 6598
        Network(100, 100, 100, 200, length: 32, .forbidden),  // metadata of Alibaba Cloud
        Network(127, 0, 0, 0, length: 8, .local),  // loopback, RFC 1122
        Network(168, 63, 129, 16, length: 32, .forbidden),  // the host of an Azure machine, public by its looks
        Network(169, 254, 0, 0, length: 16, .forbidden),  // link-local, RFC 3927; metadata of most clouds
        Network(172, 16, 0, 0, length: 12, .local),  // private, RFC 1918
        Network(192, 0, 0, 0, length: 24, .forbidden),  // IETF protocols, RFC 6890; metadata of Oracle Cloud
        Network(192, 0, 2, 0, length: 24, .forbidden),  // documentation, RFC 5737
        Network(192, 88, 99, 0, length: 24, .forbidden),  // old 6to4 relays, RFC 7526
        Network(192, 168, 0, 0, length: 16, .local),  // private, RFC 1918
        Network(198, 18, 0, 0, length: 15, .forbidden),  // benchmarking, RFC 2544
        Network(198, 51, 100, 0, length: 24, .forbidden),  // documentation, RFC 5737
        Network(203, 0, 113, 0, length: 24, .forbidden),  // documentation, RFC 5737
        Network(224, 0, 0, 0, length: 4, .forbidden),  // multicast, RFC 5771
        Network(240, 0, 0, 0, length: 4, .forbidden),  // reserved, RFC 1112; broadcast, RFC 919
    ]
}
