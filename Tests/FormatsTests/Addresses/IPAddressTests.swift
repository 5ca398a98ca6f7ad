import Testing

@testable import Formats

@Suite struct IPAddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("255.255.255.255", "255.255.255.255"), ("0.0.0.0", "0.0.0.0"),
        ("2001:DB8:0:0::1", "2001:db8::1"), ("::", "::"), ("::1", "::1"),
        // RFC 4291 § 2.5.5.2: a mapped address is the IPv4 address.
        ("::ffff:192.0.2.1", "192.0.2.1"), ("::ffff:c000:201", "192.0.2.1"),
    ])
    func `an address is read and written as usual`(_ text: String, _ written: String) {
        #expect(IPAddress(text)?.description == written)
    }

    @Test(arguments: [
        "", " ", "192.0.2", "192.0.2.256", "192.0.2.1 ", "0300.0.2.1", "192.0.2.1:80", "[::1]", "::1%lo", ":::",
        "1::2::3",
        "localhost", "3221225985", "192.0.2.1\0", "::ffff:192.0.2.1.2", "१.१.१.१",
    ])
    func `anything else is none`(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func `a subscriber is an IPv4 address or the first 64 bits`() throws {
        #expect(IPAddress("192.0.2.1")?.network == IPAddress("192.0.2.1"))
        #expect(IPAddress("2001:db8:1:2:3:4:5:6")?.network == IPAddress("2001:db8:1:2::"))
        #expect(IPAddress("2001:db8:1:2::")?.network != IPAddress("2001:db8:1:3::")?.network)
    }

    @Test(arguments: [
        ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["11.0.0.0", "9.255.255.255", "::a00:1"]),
        ("192.0.2.1", ["192.0.2.1"], ["192.0.2.0", "192.0.2.2"]),
        ("192.0.2.77/25", ["192.0.2.0", "192.0.2.127"], ["192.0.2.128"]),
        ("0.0.0.0/0", ["192.0.2.1"], ["2001:db8::1", "::1"]),
        ("::/0", ["2001:db8::1", "::"], ["192.0.2.1"]),
        ("2001:db8::/32", ["2001:db8::1", "2001:db8:ffff::"], ["2001:db9::"]),
        ("::1", ["::1"], ["::2", "0.0.0.1"]),
        ("::ffff:10.0.0.0/104", ["10.2.3.4"], ["11.0.0.0"]),
    ])
    func `a block holds what begins like it`(_ block: String, _ inside: [String], _ outside: [String]) throws {
        let block = try #require(AddressBlock(block))
        for text in inside { #expect(block.contains(try #require(IPAddress(text))), "\(text)") }
        for text in outside { #expect(!block.contains(try #require(IPAddress(text))), "\(text)") }
    }

    @Test(arguments: [
        "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "::/129",
        "proxy.example.com",
        "10.0.0.0/8 ", "*", "10.*", "10.0.0.0/0008",
    ])
    func `anything else is no block`(_ text: String) {
        #expect(AddressBlock(text) == nil)
    }
}
