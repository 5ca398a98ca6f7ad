import Formats
public import Secrets

/// The name of a flow from its authorization to its redemption, in answers, logs and the audit trail. Not a secret.
///
/// The first 16 bytes of SHA-256(`state`): the holder of the state can find the flow, never the other way round.
public struct FlowID: Hashable, Sendable, CustomStringConvertible {
    /// The 16 bytes, as stores keep them.
    public let bytes: [UInt8]

    /// The id of the flow whose state this is, whether or not there is one.
    public init(of state: State) {
        bytes = Array(state.digest.bytes.prefix(16))
    }

    /// Takes an id from a store; `nil` unless it has 16 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// `nil` unless the 22 characters that `description` gives.
    public init?(_ text: some StringProtocol) {
        guard let bytes = Base64URL.decode(text) else { return nil }
        self.init(bytes: bytes)
    }

    /// 22 characters of base64url.
    public var description: String { Base64URL.encode(bytes) }
}
