/// Text that must not be seen: a token, a code, a key.
///
/// It prints, dumps, mirrors and interpolates as `[redacted …]`, is not `Codable` and not `Equatable`.
/// `expose` is the only way in; search for it to review every use. `Use` keeps two kinds from being swapped.
public struct Secret<Use>: Sendable {
    private let text: String

    public init(_ text: String) {
        self.text = text
    }

    /// Hands the text to `use`, and nothing else.
    @inlinable
    public func expose<Result, Failure: Error>(_ use: (String) throws(Failure) -> Result) throws(Failure) -> Result {
        try use(exposed)
    }

    @usableFromInline var exposed: String { text }

    /// SHA-256 of the UTF-8 bytes: what is stored and compared in place of the text.
    public var digest: Digest { Digest(of: text) }

    /// Tells whether both hold the same text, in time that does not depend on where they differ.
    public func matches(_ other: Secret<Use>) -> Bool {
        // Equal-length digests: not even the length of the text shows.
        digest.matches(other.digest)
    }

    /// 32 random bytes in base64url (43 characters) after `prefix`.
    public static func random(prefix: String = "") -> Self {
        Secret(prefix + Base64URL.encode(Random.bytes(32)))
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "[redacted \(Use.self)]" }
    public var debugDescription: String { description }
    // Without an empty mirror, `dump` prints the stored text whatever `description` says.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Bytes that must not be seen: a key, or the plain text of something sealed.
public struct SecretBytes: Sendable {
    private let bytes: [UInt8]

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    public var count: Int { bytes.count }

    /// Tells whether both hold the same bytes, in time that does not depend on where they differ.
    public func matches(_ other: SecretBytes) -> Bool { constantTimeEqual(bytes, other.bytes) }

    /// Hands the bytes to `use`, and nothing else.
    public func expose<Result, Failure: Error>(_ use: ([UInt8]) throws(Failure) -> Result) throws(Failure) -> Result {
        try use(bytes)
    }
}

extension SecretBytes: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "[redacted bytes]" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
