import Foundation

/// A certificate authority of the tests' own, in a temporary folder that goes with it.
final class CertificateAuthority: Sendable {
    let folder: URL

    /// The PEM file to trust.
    var file: String { folder.appending(path: "ca.crt").path(percentEncoded: false) }

    init() async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "authority-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try await openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.crt",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    /// Issues a certificate for `host` as `{name}.crt` and `{name}.key`. Negative days: it has expired.
    func issue(_ name: String, host: String, days: Int = 2) async throws {
        try await openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(host)",
            "-keyout", "\(name).key", "-out", "\(name).csr")
        let extensions = "basicConstraints=CA:FALSE\nsubjectAltName=DNS:\(host)\nextendedKeyUsage=serverAuth\n"
        try extensions.write(to: folder.appending(path: "\(name).ext"), atomically: true, encoding: .utf8)
        try await openssl(
            "x509", "-req", "-in", "\(name).csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-set_serial",
            String(UInt32.random(in: 1...(.max))), "-days", String(days), "-extfile", "\(name).ext",
            "-out", "\(name).crt")
    }

    private func openssl(_ arguments: String...) async throws {
        try await run(["openssl"] + arguments, in: folder)
    }
}
