import Formats
import NIOCore
import Testing

@testable import HTTPService

@Suite struct PeerAddressTests {
    @Test func `the peer's socket has the same address`() throws {
        for text in ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"] {
            #expect(IPAddress(try SocketAddress(ipAddress: text, port: 4711)) == IPAddress(text))
        }
        #expect(IPAddress(try SocketAddress(unixDomainSocketPath: "/run/broker")) == nil)
    }
}
