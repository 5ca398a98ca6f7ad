import Formats
import HTTPTypes
import Testing

@testable import HTTPService

@Suite struct TrustedProxiesTests {
    /// The proxy next to the broker, and those further out.
    private let proxies = TrustedProxies(["10.0.0.0/8", "2001:db8:aaaa::/48"].compactMap { CIDR($0) })

    private func client(
        _ peer: String = "10.0.0.1", forwarded: [String] = [], forwardedFor: [String] = []
    ) throws -> String {
        var headers: HTTPFields = [:]
        for value in forwarded { headers.append(.init(name: .init("Forwarded")!, value: value)) }
        for value in forwardedFor { headers.append(.init(name: .init("X-Forwarded-For")!, value: value)) }
        return proxies.client(peer: try #require(IPAddress(peer)), headers).description
    }

    @Test func `whoever is not trusted is the client, whatever they say`() throws {
        #expect(try client("192.0.2.9", forwarded: ["for=192.0.2.1"]) == "192.0.2.9")
        #expect(try client("192.0.2.9", forwardedFor: ["192.0.2.1"]) == "192.0.2.9")
        let nobody = TrustedProxies()
        let peer = try #require(IPAddress("10.0.0.1"))
        #expect(nobody.client(peer: peer, [.init("X-Forwarded-For")!: "192.0.2.1"]) == peer)
    }

    @Test func `a trusted peer without a word is the client`() throws {
        #expect(try client() == "10.0.0.1")
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), (" 192.0.2.1 ", "192.0.2.1"), ("192.0.2.1:4711", "192.0.2.1"),
        ("192.0.2.1:_a-Z.9_", "192.0.2.1"), ("2001:db8::1", "2001:db8::1"), ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        // The client wrote the first one, the outer proxy the second.
        ("198.51.100.1, 192.0.2.1", "192.0.2.1"),
        ("<script>, 192.0.2.1", "192.0.2.1"),
        // Through two of ours.
        ("198.51.100.1, 192.0.2.1, 10.2.2.2", "192.0.2.1"),
        ("192.0.2.1, 2001:db8:aaaa::2,10.2.2.2", "192.0.2.1"),
        // From within.
        ("10.3.3.3, 10.2.2.2", "10.3.3.3"),
    ])
    func `X-Forwarded-For tells the last hop that is not trusted`(_ value: String, _ wanted: String) throws {
        #expect(try client(forwardedFor: [value]) == wanted)
    }

    /// RFC 9110 § 5.3: lines of one name are one list.
    @Test func `several lines are one list`() throws {
        #expect(try client(forwardedFor: ["198.51.100.1", "192.0.2.1", "10.2.2.2"]) == "192.0.2.1")
        #expect(try client(forwarded: ["for=198.51.100.1", "for=192.0.2.1, for=10.2.2.2"]) == "192.0.2.1")
    }

    /// RFC 7239 § 4, with its examples' shapes.
    @Test(arguments: [
        ("for=192.0.2.1", "192.0.2.1"), ("For=192.0.2.1;proto=http;by=203.0.113.43", "192.0.2.1"),
        ("proto=https; for=\"192.0.2.1:47011\" ;host=a", "192.0.2.1"),
        (#"for="[2001:db8:cafe::17]:4711""#, "2001:db8:cafe::17"), (#"FOR="[2001:db8:cafe::17]""#, "2001:db8:cafe::17"),
        ("for=198.51.100.1, for=192.0.2.1;by=_proxy", "192.0.2.1"),
        ("for=192.0.2.1, for=\"[2001:db8:aaaa::2]\"", "192.0.2.1"),
        // A quote that the client leaves open swallows nothing.
        (#"for="198.51.100.1, for=192.0.2.1"#, "192.0.2.1"),
        (#"for=198.51.100.1;host="a, for=192.0.2.1"#, "192.0.2.1"),
    ])
    func `Forwarded tells the last hop that is not trusted`(_ value: String, _ wanted: String) throws {
        #expect(try client(forwarded: [value]) == wanted)
    }

    @Test(arguments: [
        "for=unknown", "for=_hidden", "for=", "for", "by=192.0.2.1", "for=192.0.2.1;for=192.0.2.2", "for=\"192.0.2.1",
        "for=\"192.0.2.1:47 11\"", "for=\"192.0.2.1:471100\"", "for=\"192.0.2.1:_\"", "for=\"192.0.2.1:http\"",
        "for=\"[2001:db8::1]:<a>\"", "for=192.0.2.1, ", "for=\"", "for=[2001:db8::1", "for=[2001:db8::1]x",
        "for=192.0.2.1:", "for=a.example.com",
    ])
    func `a hop that is no address leaves the last one known`(_ value: String) throws {
        #expect(try client(forwarded: [value]) == "10.0.0.1")
        #expect(try client(forwarded: [value + ",for=10.2.2.2"]) == "10.2.2.2")
        #expect(try client(forwardedFor: [String(value.replacing("for=", with: "x"))]) == "10.0.0.1")
    }

    /// The proxy wrote one, the client the other: nobody knows which.
    @Test func `of two headers that disagree neither is believed`() throws {
        #expect(try client(forwarded: ["for=198.51.100.1"], forwardedFor: ["192.0.2.1"]) == "10.0.0.1")
        #expect(try client(forwarded: ["for=unknown"], forwardedFor: ["192.0.2.1"]) == "10.0.0.1")
        #expect(try client(forwarded: ["for=192.0.2.1"], forwardedFor: ["192.0.2.1"]) == "192.0.2.1")
    }
}
