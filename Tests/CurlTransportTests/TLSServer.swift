import Foundation

/// `openssl s_server`, which answers every GET with a page about its TLS session.
final class TLSServer: Sendable {
    struct NotStarted: Error {
        var output: String
    }

    let port: UInt16
    private let child: Child

    static func start(
        _ authority: CertificateAuthority, certificate: String, options: [String] = []
    ) async throws -> TLSServer {
        try await blocking { try TLSServer(authority, certificate, options) }
    }

    private init(_ authority: CertificateAuthority, _ certificate: String, _ options: [String]) throws {
        let command = [
            "openssl", "s_server", "-www", "-accept", "127.0.0.1:0", "-cert", "\(certificate).crt",
            "-key", "\(certificate).key",
        ]
        child = try Child(command + options, in: authority.folder)
        do {
            port = try Self.port(announcedOn: child.output.fileHandleForReading)
        } catch {
            child.waitUntilExit()
            throw error
        }
    }

    deinit {
        // Not `terminate()`: a child of a concurrency thread inherits its signal mask, and with it a blocked SIGTERM.
        kill(child.processIdentifier, SIGKILL)
        child.waitUntilExit()
    }

    /// Waits for the line `ACCEPT 127.0.0.1:port`.
    private static func port(announcedOn handle: FileHandle) throws -> UInt16 {
        var output = ""
        while true {
            let data = handle.availableData
            guard !data.isEmpty else { throw NotStarted(output: output) }
            output += String(decoding: data, as: UTF8.self)
            let lines = output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            guard let line = lines.first(where: { $0.hasPrefix("ACCEPT") }) else { continue }
            guard let port = line.split(separator: ":").last.flatMap({ UInt16($0) }) else {
                throw NotStarted(output: output)
            }
            return port
        }
    }
}
