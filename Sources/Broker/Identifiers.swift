import Formats
public import Secrets

/// A tenant of the product that Cloakroom serves, matching `pattern`.
public struct TenantID: Hashable, Sendable, CustomStringConvertible {
    /// For sentences that say what is wanted.
    package static let pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

    public let description: String

    public init?(_ text: some StringProtocol) {
        let text = String(text)
        let allowed = { (byte: UInt8) in byte.isASCIILetterOrDigit || byte == 0x2E || byte == 0x5F || byte == 0x2D }
        guard let first = text.utf8.first, first.isASCIILetterOrDigit, text.utf8.count <= 64,
            text.utf8.allSatisfy(allowed)
        else { return nil }
        description = text
    }
}

/// Names a flow from its authorization to its redemption, in answers, logs and the audit trail. Not a secret.
///
/// The first 16 bytes of SHA-256(`state`): who holds the state can find the flow, never the other way round.
public struct FlowID: Hashable, Sendable, CustomStringConvertible {
    public let bytes: [UInt8]

    public init(of state: State) {
        bytes = Array(state.digest.bytes.prefix(16))
    }

    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// `nil` unless the 22 characters that `description` gives.
    public init?(_ text: some StringProtocol) {
        guard let bytes = Base64URL.decode(text) else { return nil }
        self.init(bytes: bytes)
    }

    public var description: String { Base64URL.encode(bytes) }
}
