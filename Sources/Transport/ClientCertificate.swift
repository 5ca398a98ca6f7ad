/// The files by which libcurl proves a client in the TLS handshake (RFC 8705).
public struct ClientCertificate: Sendable, Hashable {
    public let file: String
    public let keyFile: String

    public init(file: String, keyFile: String) {
        self.file = file
        self.keyFile = keyFile
    }
}
