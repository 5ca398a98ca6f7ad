import Glibc

/// An address of the Internet Protocol, of either version.
///
/// Kept as IPv6; IPv4 as the IPv6 address it is mapped to (RFC 4291 § 2.5.5.2), so that one address has one value
/// whichever way it came.
package struct IPAddress: Hashable, Sendable {
    /// The address as IPv6, the first bit the highest.
    package let bits: UInt128

    private static let mapped: UInt128 = 0xFFFF << 32

    /// Takes the 128 bits of an IPv6 address, mapped IPv4 among them.
    package init(bits: UInt128) {
        self.bits = bits
    }

    /// Maps an IPv4 address, whose first number is the highest byte.
    package init(v4: UInt32) {
        bits = Self.mapped | UInt128(v4)
    }

    /// Reads the usual spelling (RFC 4291 § 2.2, or four decimal numbers), without port, brackets or zone; `nil` for
    /// anything else.
    package init?(_ text: some StringProtocol) {
        let text = String(text)
        // Four and sixteen bytes, as in the packet: the system's own types for them come from several modules.
        var v4: UInt32 = 0
        var v6: UInt128 = 0
        // `inet_pton` would stop at a zero byte and take what stands before it.
        if text.utf8.contains(0) { return nil }
        if inet_pton(AF_INET, text, &v4) == 1 {
            self.init(v4: UInt32(bigEndian: v4))
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            self.init(bits: UInt128(bigEndian: v6))
        } else {
            return nil
        }
    }

    /// Tells whether it is an IPv4 address, also one that was written as a mapped IPv6 one.
    package var isV4: Bool { bits >> 32 == Self.mapped >> 32 }

    /// The network of one subscriber, for limits: an IPv4 address, or the first 64 bits of an IPv6 one, behind which a
    /// host picks addresses as it likes (RFC 8981 § 3.3).
    package var network: IPAddress { isV4 ? self : IPAddress(bits: bits & ~UInt128(UInt64.max)) }
}

extension IPAddress: CustomStringConvertible {
    /// The spelling of RFC 5952 § 4; IPv4 as four decimal numbers.
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        if isV4 {
            var address = UInt32(truncatingIfNeeded: bits).bigEndian
            inet_ntop(AF_INET, &address, &text, socklen_t(text.count))
        } else {
            var address = bits.bigEndian
            inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
