import COpenSSL

/// The master keys of this installation: the first seals, all open.
///
/// Nothing is ever sealed under a master key itself. Each use has a key of its own, derived with HKDF
/// (RFC 5869 § 2) from the master key, a second secret where there is one, and a label that names the use.
public final class KeyRing: Sendable {
    /// Names a master key in what it sealed. Not secret.
    public struct KeyID: Hashable, Sendable, CustomStringConvertible {
        /// The name as the master key file has it, such as `2026-01`.
        public let description: String

        /// `nil` unless 1 to 32 of `A-Z a-z 0-9 . _ -`.
        public init?(_ text: String) {
            let allowed = { (byte: UInt8) -> Bool in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: false
                }
            }
            guard (1...32).contains(text.utf8.count), text.utf8.allSatisfy(allowed) else { return nil }
            description = text
        }

        fileprivate static let process = KeyID(unchecked: "process")

        private init(unchecked text: String) { description = text }
    }

    private struct Keys: Sendable {
        var byID: [KeyID: SecretBytes] = [:]
        /// Never empty.
        var ids: [KeyID] = []
    }

    private let keys: Locked<Keys>

    /// The name of the key that seals: the first of the file.
    public var primary: KeyID { keys.withLock { $0.ids[0] } }

    /// All key names, the sealing one first.
    public var ids: [KeyID] { keys.withLock { $0.ids } }

    /// Reads a master key file: lines of `id:key`, the key being 32 bytes in base64 (RFC 4648 § 4) with or without
    /// padding. Blank lines, lines that start with `#`, spaces and tabs are skipped. Throws at the first line that is
    /// anything else, and for a file without keys.
    public init(_ text: String) throws(KeyRingError) {
        var keys = Keys()
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = line.filter { $0 != " " && $0 != "\t" }
            if line.isEmpty || line.hasPrefix("#") { continue }
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw .lineMalformed(line: index + 1) }
            guard let id = KeyID(String(parts[0])) else { throw .nameMalformed(line: index + 1) }
            // 32 bytes end in one sign of padding (RFC 4648 § 4), which may be left out.
            let digits = parts[1].hasSuffix("=") ? parts[1].dropLast() : parts[1]
            let encoded = String(digits.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })
            guard let bytes = Base64URL.decode(encoded), bytes.count == 32 else {
                throw .keyMalformed(line: index + 1, id: id)
            }
            guard keys.byID.updateValue(SecretBytes(bytes), forKey: id) == nil else {
                throw .nameRepeated(line: index + 1, id: id)
            }
            keys.ids.append(id)
        }
        guard !keys.ids.isEmpty else { throw .empty }
        self.keys = Locked(keys)
    }

    private init(_ bytes: SecretBytes, id: KeyID) {
        keys = Locked(Keys(byID: [id: bytes], ids: [id]))
    }

    /// A ring of one new key that is written nowhere: nothing that it seals opens after this process ends.
    public static func ephemeral() -> KeyRing { KeyRing(SecretBytes(Random.bytes(32)), id: .process) }

    /// The same, under a name that no other process's key has: what it seals tells whose it is.
    package static func ephemeral(named id: KeyID) -> KeyRing { KeyRing(SecretBytes(Random.bytes(32)), id: id) }

    /// Adds keys of other processes behind this one's, the newest last, and lets the oldest go beyond `most`.
    package func take(_ others: [(id: KeyID, key: SecretBytes)], most: Int) {
        keys.withLock { keys in
            for (id, key) in others where keys.byID[id] == nil {
                keys.byID[id] = key
                keys.ids.append(id)
            }
            while keys.ids.count > most { keys.byID[keys.ids.remove(at: 1)] = nil }
        }
    }

    /// All keys, to be handed to another process.
    package var all: [(id: KeyID, key: SecretBytes)] {
        keys.withLock { keys in keys.ids.compactMap { id in keys.byID[id].map { (id, $0) } } }
    }

    /// Tells whether both rings have a key of this name, with different bytes; these are compared in constant time.
    public func differs(from other: KeyRing, at id: KeyID) -> Bool {
        guard let own = keys.withLock({ $0.byID[id] }), let theirs = other.keys.withLock({ $0.byID[id] }) else {
            return false
        }
        return own.expose { own in theirs.expose { !constantTimeEqual(own, $0) } }
    }

    /// Takes over the keys of a ring that was read later. Tells whether they are others, or in another order. Does not
    /// look whether anything is still sealed under a key that goes: see `Broker.replaceKeys(by:)`.
    public func replace(by other: KeyRing) -> Bool {
        let new = other.keys.withLock { $0 }
        return keys.withLock { keys in
            let isSame =
                keys.ids == new.ids
                && keys.ids.allSatisfy { id in
                    guard let old = keys.byID[id], let new = new.byID[id] else { return false }
                    return old.matches(new)
                }
            keys = new
            return !isSame
        }
    }

    /// A line for a master key file, with a new random key in it. The one place where a master key is shown.
    public static func newLine(id: KeyID) -> String {
        let encoded = Base64URL.encode(Random.bytes(32)).map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
        return "\(id):\(String(encoded))="
    }

    /// 32 bytes that only the holder of the master key `id` and of `secret` can make again; `nil` where the ring
    /// has no such key. Different labels give unrelated bytes.
    public func derive(_ label: Label, from secret: SecretBytes, key id: KeyID) -> SecretBytes? {
        keys.withLock { $0.byID[id] }.map { Self.derive(label, from: secret, $0) }
    }

    /// The name of the key that seals, and the key derived from it for this use.
    func deriveToSeal(_ label: Label, from secret: SecretBytes) -> (KeyID, SecretBytes) {
        let (id, key) = keys.withLock { ($0.ids[0], $0.byID[$0.ids[0]]) }
        // Rings are made with a key for each name.
        guard let key else { fatalError("the key ring lost its first key") }
        return (id, Self.derive(label, from: secret, key))
    }

    private static func derive(_ label: Label, from secret: SecretBytes, _ key: SecretBytes) -> SecretBytes {
        let info = [UInt8](label.text.utf8)
        let derived = key.expose { key in
            secret.expose { secret in
                [UInt8](unsafeUninitializedCapacity: 32) { output, written in
                    let done = cloakroom_hkdf_sha256(
                        key, key.count, secret, secret.count, info, info.count, output.baseAddress, 32)
                    // As for SHA-256: fails only where libcrypto cannot be used at all.
                    guard done == 1 else { fatalError("libcrypto has no HKDF") }
                    written = 32
                }
            }
        }
        return SecretBytes(derived)
    }
}

/// A fault of a master key file. Lines count from 1; no case holds a key.
public enum KeyRingError: Error, Equatable, Sendable {
    /// The file has no key at all.
    case empty
    /// Neither `id:key` nor a comment.
    case lineMalformed(line: Int)
    /// The part before the colon is no `KeyID`.
    case nameMalformed(line: Int)
    /// The part after the colon is not 32 bytes in base64.
    case keyMalformed(line: Int, id: KeyRing.KeyID)
    /// An earlier line has the same name.
    case nameRepeated(line: Int, id: KeyRing.KeyID)
}

/// Names one use of a master key, so that what was made for one use cannot serve another.
public struct Label: Sendable {
    let text: String

    /// A literal, never computed: the label is part of every key that is derived with it, so a change of it makes all
    /// that was sealed unreadable.
    public init(_ text: StaticString) {
        self.text = "cloakroom/v1/\(text)"
    }
}
