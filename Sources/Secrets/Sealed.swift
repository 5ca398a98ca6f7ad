import COpenSSL

/// Cipher text that a store may keep: it says which master key it needs, and `Content` so that one kind is
/// never opened as another.
///
/// Layout: version (1), length of the key id (1), key id, nonce (12), cipher text, tag (16).
public struct Sealed<Content>: Sendable, Equatable {
    /// The layout above, for a store to keep.
    public let bytes: [UInt8]

    /// Bytes as they came from a store. Nothing is checked until they are opened.
    public init(stored bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The name of the master key that it says it was sealed under; `nil` where it is malformed. Not authenticated:
    /// only opening tells whether it is true.
    public var keyID: KeyRing.KeyID? {
        guard bytes.count >= 2, bytes[0] == version, bytes.count >= 2 + Int(bytes[1]) else { return nil }
        return KeyRing.KeyID(String(decoding: bytes[2..<2 + Int(bytes[1])], as: UTF8.self))
    }
}

/// A reason for which sealed bytes did not open.
public enum OpenError: Error, Equatable, Sendable {
    /// Too short, or of a version that this program does not know.
    case malformed
    /// Sealed under a master key that is not in the ring.
    case unknownKey(KeyRing.KeyID)
    /// Altered, moved to another place, or made for another use or under another secret.
    case notAuthentic
}

private let version: UInt8 = 1

extension KeyRing {
    /// Seals under AES-256-GCM with a key derived from the first master key, `secret` and `label`.
    ///
    /// - Parameters:
    ///   - context: associated data that says where the content belongs; the same bytes are needed to open.
    ///   - secret: a second secret without which the master key opens nothing; empty where there is none.
    public func seal<Content>(
        _ content: SecretBytes, as label: Label, context: [UInt8], under secret: SecretBytes = SecretBytes([]),
        for _: Content.Type = Content.self
    ) -> Sealed<Content> {
        let (keyID, key) = deriveToSeal(label, from: secret)
        let nonce = Random.bytes(12)
        let id = [UInt8](keyID.description.utf8)
        var bytes = [version, UInt8(id.count)] + id + nonce
        bytes += content.expose { text in
            key.expose { key in
                [UInt8](unsafeUninitializedCapacity: text.count + 16) { output, written in
                    let done = cloakroom_aes256gcm_seal(
                        key, nonce, context, context.count, text, text.count, output.baseAddress)
                    guard done == 1 else { fatalError("libcrypto has no AES-256-GCM") }
                    written = text.count + 16
                }
            }
        }
        return Sealed(stored: bytes)
    }

    /// The content, if `sealed` is unaltered and was sealed with this label, context and secret; else throws.
    public func open<Content>(
        _ sealed: Sealed<Content>, as label: Label, context: [UInt8], under secret: SecretBytes = SecretBytes([])
    ) throws(OpenError) -> SecretBytes {
        let bytes = sealed.bytes
        guard bytes.count >= 2, bytes[0] == version else { throw .malformed }
        let idEnd = 2 + Int(bytes[1])
        guard bytes.count >= idEnd + 12 + 16,
            let id = KeyID(String(decoding: bytes[2..<idEnd], as: UTF8.self))
        else { throw .malformed }
        guard let key = derive(label, from: secret, key: id) else { throw .unknownKey(id) }
        let nonce = Array(bytes[idEnd..<idEnd + 12])
        let cipher = Array(bytes[(idEnd + 12)...])
        let length = cipher.count - 16
        var authentic = false
        let text = key.expose { key in
            [UInt8](unsafeUninitializedCapacity: max(length, 1)) { output, written in
                authentic =
                    cloakroom_aes256gcm_open(
                        key, nonce, context, context.count, cipher, length, output.baseAddress) == 1
                written = authentic ? length : 0
            }
        }
        guard authentic else { throw .notAuthentic }
        return SecretBytes(text)
    }
}
