/// Text that must not be seen: a token, a code, a key.
///
/// It prints, dumps, mirrors and interpolates as `[redacted …]`, is not `Codable` and not `Equatable`.
/// `expose` is the only way in; search for it to review every use. `Use` keeps two kinds from being swapped.
public struct Secret<Use>: Sendable {
    private let text: String

    /// Takes text of any form; validation is the caller's.
    public init(_ text: String) {
        self.text = text
    }

    /// Hands the text to `use`, and nowhere else.
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
    /// Names the kind, and shows nothing of the text.
    public var description: String { "[redacted \(Use.self)]" }
    /// The same as `description`.
    public var debugDescription: String { description }
    /// Empty: without it, `dump` prints the stored text whatever `description` says.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Bytes that must not be seen: a key, or the plain text of something sealed.
public struct SecretBytes: Sendable {
    private let bytes: [UInt8]

    /// Takes any bytes, none included.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The number of bytes, which is not held to be secret.
    public var count: Int { bytes.count }

    /// Tells whether both hold the same bytes, in time that does not depend on where they differ.
    public func matches(_ other: SecretBytes) -> Bool { constantTimeEqual(bytes, other.bytes) }

    /// Hands the bytes to `use`, and nowhere else.
    public func expose<Result, Failure: Error>(_ use: ([UInt8]) throws(Failure) -> Result) throws(Failure) -> Result {
        try use(bytes)
    }
}

extension SecretBytes: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Shows nothing, not even the length.
    public var description: String { "[redacted bytes]" }
    /// The same as `description`.
    public var debugDescription: String { description }
    /// Empty, for the same reason as `Secret`'s.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
