import Foundation
import Testing

@testable import CurlTransport

@Suite struct PeerAddressTests {
    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "168.63.129.15", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.0.1",
        "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "203.0.112.255",
        "203.0.114.0", "223.255.255.255", "1.0.0.0",
        "2001:4860:4860::8888", "2606:4700::1111", "2a00::1", "2001:200::1", "2001:db7::1", "2001:db9::1", "3ffe::1",
        "64:ff9b::8.8.8.8", "64:ff9b:1::8.8.8.8", "2002:808:808::1",
    ])
    func `a public address is global`(_ text: String) throws {
        #expect(try PeerAddress(text).reach == .global)
    }

    @Test(arguments: [
        "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255", "172.16.0.0",
        "172.31.255.255", "192.168.0.0", "192.168.255.255",
        "::1", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fd00:ec2::253", "fd00::2",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::8.8.8.8",
        "64:ff9b::127.0.0.1", "64:ff9b::10.1.2.3", "64:ff9b:1::192.168.0.1", "2002:7f00:1::", "2002:a00:1::1",
    ])
    func `a loopback, private or shared address is local`(_ text: String) throws {
        #expect(try PeerAddress(text).reach == .local)
    }

    @Test(arguments: [
        "0.0.0.0", "0.0.0.1", "0.255.255.255", "100.100.100.200", "168.63.129.16", "169.254.0.0", "169.254.169.254",
        "169.254.255.255", "192.0.0.0", "192.0.0.192", "192.0.0.255", "192.0.2.0", "192.0.2.255", "192.88.99.1",
        "198.18.0.0", "198.19.255.255", "198.51.100.7", "203.0.113.255", "224.0.0.0", "239.255.255.255", "240.0.0.0",
        "255.255.255.254", "255.255.255.255",
        "::", "fd00:ec2::254", "fd20:ce::254", "fe80::1", "febf::1", "fec0::1", "feff::1", "ff00::", "ff02::1",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "100::1", "200::1", "1fff::1", "4000::1", "5f00::1", "8000::1",
        "2001::1", "2001:0:4136:e378::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:1ff:ffff::1", "2001:db8::1",
        "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::1", "3fff:fff::1",
        "::ffff:0.0.0.0", "::ffff:169.254.169.254", "::ffff:224.0.0.1", "::169.254.169.254", "::2",
        "64:ff9b::169.254.169.254", "64:ff9b::0.0.0.0", "64:ff9b:1::169.254.169.254", "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b:1:ffff::8.8.8.8", "64:ff9b:2::8.8.8.8", "64:ff9a::8.8.8.8", "2002:a9fe:a9fe::1", "2002::1",
        "2002:e000:1::",
    ])
    func `a reserved, link-local, multicast or metadata address is forbidden`(_ text: String) throws {
        #expect(try PeerAddress(text).reach == .forbidden)
    }

    @Test func `other families and cut structures are no address`() {
        var unix = sockaddr()
        unix.sa_family = sa_family_t(AF_UNIX)
        #expect(PeerAddress(&unix, length: MemoryLayout<sockaddr>.size) == nil)
        var cut = sockaddr()
        cut.sa_family = sa_family_t(AF_INET6)
        #expect(PeerAddress(&cut, length: MemoryLayout<sockaddr>.size) == nil)
    }
}

extension PeerAddress {
    private struct NotAnAddress: Error {}

    /// From text, by way of the structure that sockets use.
    fileprivate init(_ text: String) throws {
        var v4 = sockaddr_in()
        v4.sin_family = sa_family_t(AF_INET)
        var v6 = sockaddr_in6()
        v6.sin6_family = sa_family_t(AF_INET6)
        let address: PeerAddress?
        if inet_pton(AF_INET, text, &v4.sin_addr) == 1 {
            address = withUnsafeBytes(of: &v4, Self.read)
        } else if inet_pton(AF_INET6, text, &v6.sin6_addr) == 1 {
            address = withUnsafeBytes(of: &v6, Self.read)
        } else {
            address = nil
        }
        guard let address else { throw NotAnAddress() }
        self = address
    }

    private static func read(_ bytes: UnsafeRawBufferPointer) -> PeerAddress? {
        bytes.withMemoryRebound(to: sockaddr.self) { address in
            address.baseAddress.flatMap { PeerAddress($0, length: bytes.count) }
        }
    }
}
