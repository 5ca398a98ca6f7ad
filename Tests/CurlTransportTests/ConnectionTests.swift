import CurlTransport
import Foundation
import Testing
import Transport

@Suite(.timeLimit(.minutes(5))) struct ConnectionTests {
    @Test func `many requests in sequence share one connection`() async throws {
        try await withServer { connection in
            connection.serve { _ in connection.respond("200 OK", [], "fine") }
        } body: { server in
            let transport = CurlTransport.forLoopback()
            for _ in 0..<100 { #expect(await transport.outcome(server.url()).response?.text == "fine") }
            #expect(server.acceptedCount == 1)
        }
    }

    @Test func `a connection that the server has closed is not used again`() async throws {
        let closed = Counter()
        try await withServer { connection in
            _ = connection.readRequest()
            connection.respond("200 OK", [], "fine")
            closed.increment()
        } body: { server in
            let transport = CurlTransport.forLoopback()
            for number in 1...10 {
                #expect(await transport.outcome(server.url()).response?.text == "fine")
                await closed.reaches(number)
            }
        }
    }

    /// RFC 9110 § 9.2.2: a code must not be redeemed twice because a connection broke.
    @Test func `a POST whose kept connection breaks unanswered is not sent again`() async throws {
        let posts = Counter()
        try await withServer { connection in
            connection.serve { request in
                guard request.method == "POST" else { return connection.respond("200 OK", [], "fine") }
                posts.increment()
                connection.stop()
            }
        } body: { server in
            let transport = CurlTransport.forLoopback()
            _ = try await transport.get(server.url())
            let outcome = await transport.outcome(
                TransportRequest(method: .post, url: server.url(), body: Array("code=1".utf8)))
            #expect(outcome.error == .unreachable)
            #expect(posts.value == 1)
        }
    }

    @Test func `a GET whose kept connection breaks unanswered is sent again, any number of times`() async throws {
        let breaks = Counter()
        try await withServer { connection in
            var isFirst = true
            connection.serve { _ in
                if !isFirst {
                    breaks.increment()
                    return connection.stop()
                }
                isFirst = false
                connection.respond("200 OK", [], "fine")
            }
        } body: { server in
            let transport = CurlTransport.forLoopback()
            for _ in 0..<20 { #expect(await transport.outcome(server.url()).response?.text == "fine") }
            #expect(breaks.value == 19)
        }
    }

    @Test func `connections are not inherited by child processes`() async throws {
        try await withServer { connection in
            connection.serve { _ in connection.respond() }
        } body: { server in
            let transport = CurlTransport.forLoopback()
            _ = try await transport.get(server.url())
            let kept = (0..<16_384).filter { peerPort(of: Int32($0)) == server.port }
            #expect(kept.count == 1)
            for descriptor in kept { #expect(fcntl(Int32(descriptor), F_GETFD) & FD_CLOEXEC != 0) }
            await transport.shutdown()
        }
    }

    private func peerPort(of descriptor: Int32) -> UInt16? {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) }
        }
        guard code == 0, address.sin_family == sa_family_t(AF_INET) else { return nil }
        return UInt16(bigEndian: address.sin_port)
    }
}
