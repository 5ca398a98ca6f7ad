public import Secrets

extension Use {
    /// The service's own key at an embedder, which the embedder charges it by.
    public enum APIKey {}
}

/// Visible ASCII, so that it can stand in a header.
public typealias APIKey = Secret<Use.APIKey>

extension Secret where Use == Secrets.Use.APIKey {
    /// Reads a file with one key in it; `nil` unless it is 1 to 4096 visible characters of ASCII (RFC 6750 § 2.1). White
    /// space around it is an editor's.
    public init?(file bytes: [UInt8]) {
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
        let key = bytes.drop(while: isSpace).prefix { !isSpace($0) }
        guard (1...4096).contains(key.count), key.allSatisfy({ (0x21...0x7E).contains($0) }),
            bytes[key.endIndex...].allSatisfy(isSpace)
        else { return nil }
        self.init(String(decoding: key, as: UTF8.self))
    }
}
