import COpenSSL

/// A SHA-256 digest (FIPS 180-4). Not a secret itself: it is what may be stored and looked up.
public struct Digest: Hashable, Sendable {
    /// The 32 bytes of the digest.
    public let bytes: [UInt8]

    /// Digests the bytes as they are.
    public init(of data: [UInt8]) {
        bytes = data.withUnsafeBufferPointer(Self.compute)
    }

    /// A digest as a store kept it; `nil` unless it is as long as one.
    public init?(stored bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// The 32 bytes that SHA-256 made.
    init(computed bytes: [UInt8]) { self.bytes = bytes }

    /// Digests the UTF-8 bytes of `text`, unnormalised.
    public init(of text: String) {
        var text = text
        bytes = text.withUTF8(Self.compute)
    }

    private static func compute(_ input: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { output, written in
            // Fails only where libcrypto cannot be used at all (no default provider): nothing may go on then.
            guard cloakroom_sha256(input.baseAddress, input.count, output.baseAddress) == 1 else {
                fatalError("libcrypto has no SHA-256")
            }
            written = 32
        }
    }

    /// Compares in time that does not depend on where the two differ.
    public func matches(_ other: Digest) -> Bool {
        constantTimeEqual(bytes, other.bytes)
    }
}

/// Compares in time that depends on the lengths alone.
public func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}
