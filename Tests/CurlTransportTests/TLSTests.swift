import CurlTransport
import Foundation
import Testing
import Transport

/// Real handshakes, with certificates that are right, and wrong in one way each.
@Suite(.timeLimit(.minutes(5))) struct TLSTests {
    private let authority: CertificateAuthority

    init() async throws {
        authority = try await CertificateAuthority()
        try await authority.issue("right", host: "localhost")
    }

    /// Permits private addresses, but only https.
    private func transport(trusting file: String?) -> CurlTransport {
        CurlTransport(
            configuration: .init(timeout: .seconds(30), allowPrivateAddresses: true, caFile: file))
    }

    private func error(
        of certificate: String, options: [String] = [], trusting file: String?
    ) async throws -> TransportError? {
        let server = try await TLSServer.start(authority, certificate: certificate, options: options)
        return await transport(trusting: file).outcome("https://localhost:\(server.port)/").error
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func `a certificate of a trusted authority for the host is accepted`(_ version: String) async throws {
        let server = try await TLSServer.start(authority, certificate: "right", options: [version])
        let response = try await transport(trusting: authority.file).get("https://localhost:\(server.port)/")
        #expect(response.status == 200)
        #expect(response.text.contains("s_server"))
    }

    @Test func `an authority that the system does not know is refused`() async throws {
        #expect(try await error(of: "right", trusting: nil) == .tlsFailed)
    }

    @Test func `another authority of the same name is refused`() async throws {
        let other = try await CertificateAuthority()
        #expect(try await error(of: "right", trusting: other.file) == .tlsFailed)
    }

    @Test func `an expired certificate is refused`() async throws {
        try await authority.issue("expired", host: "localhost", days: -1)
        #expect(try await error(of: "expired", trusting: authority.file) == .tlsFailed)
    }

    @Test func `a certificate for another host is refused`() async throws {
        try await authority.issue("other", host: "other.example")
        #expect(try await error(of: "other", trusting: authority.file) == .tlsFailed)
    }

    @Test func `a certificate for a name is refused for the address behind it`() async throws {
        let server = try await TLSServer.start(authority, certificate: "right")
        let outcome = await transport(trusting: authority.file).outcome("https://127.0.0.1:\(server.port)/")
        #expect(outcome.error == .tlsFailed)
    }

    @Test func `a server's own signature is refused`() async throws {
        // A certificate authority that serves its own certificate.
        let other = try await CertificateAuthority()
        #expect(try await error(of: "ca", trusting: other.file) == .tlsFailed)
    }

    /// RFC 8996 § 4 and § 5.
    @Test(arguments: ["-tls1", "-tls1_1"])
    func `TLS older than 1.2 is refused`(_ version: String) async throws {
        let options = [version, "-cipher", "DEFAULT:@SECLEVEL=0"]
        #expect(try await error(of: "right", options: options, trusting: authority.file) == .tlsFailed)
    }

    @Test func `a file of authorities that is missing or empty trusts nobody`() async throws {
        #expect(try await error(of: "right", trusting: "/nonexistent/ca.crt") == .tlsFailed)
        #expect(try await error(of: "right", trusting: "/dev/null") == .tlsFailed)
    }

    @Test func `a server that does not speak TLS fails as such`() async throws {
        try await withServer { connection in
            connection.write("HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.hang()
        } body: { server in
            let outcome = await transport(trusting: nil).outcome("https://127.0.0.1:\(server.port)/")
            #expect(outcome.error == .tlsFailed)
        }
    }

    @Test func `a server that says nothing in the handshake times out`() async throws {
        try await withServer {
            $0.hang()
        } body: { server in
            let transport = CurlTransport.forLoopback(connectTimeout: .milliseconds(500))
            let outcome = await within(.seconds(30)) { await transport.outcome("https://127.0.0.1:\(server.port)/") }
            #expect(outcome.error == .timedOut)
        }
    }

    @Test func `loopback is refused by https as well`() async throws {
        let server = try await TLSServer.start(authority, certificate: "right")
        let transport = CurlTransport(configuration: .init(caFile: authority.file))
        #expect(await transport.outcome("https://localhost:\(server.port)/").error == .addressNotAllowed)
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func `a session is resumed by whichever handle comes next`(_ version: String) async throws {
        let received = Counter()
        try await withServer { connection in
            _ = connection.readRequest()
            received.increment()
            connection.hang()
        } body: { plain in
            let tls = try await TLSServer.start(authority, certificate: "right", options: [version])
            let transport = CurlTransport.forLoopback(caFile: authority.file)
            let url = "https://localhost:\(tls.port)/"
            // The server's page closes its connection, so each request needs a new one.
            #expect(await transport.outcome(url).response?.text.contains("New, ") == true)
            let plainURL = plain.url()
            let occupied = Task { await transport.outcome(plainURL).error }
            await received.reaches(1)
            #expect(await transport.outcome(url).response?.text.contains("Reused, ") == true)
            occupied.cancel()
            #expect(await occupied.value == .cancelled)
        }
    }
}
