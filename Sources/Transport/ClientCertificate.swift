/// The PEM files by which a client proves itself in the TLS handshake (RFC 8705 § 2). libcurl reads them.
public struct ClientCertificate: Sendable, Hashable {
    /// The path of the certificate, with those of its chain if the provider needs them.
    public let file: String
    /// The path of its private key, without a passphrase.
    public let keyFile: String

    /// Looks at neither file.
    public init(file: String, keyFile: String) {
        self.file = file
        self.keyFile = keyFile
    }
}
