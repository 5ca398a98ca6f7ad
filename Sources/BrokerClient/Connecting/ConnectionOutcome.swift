import Formats
public import Secrets

/// The outcome of a connection, as far as it is known to the one who asks.
public enum ConnectionOutcome: Sendable {
    /// Not decided yet; or unknown, expired, or another's: one answer for all.
    case pending
    case succeeded(CredentialKey)
    /// - error: the provider's word or the broker's, such as `access_denied`.
    case failed(error: String?)

    init?(_ members: [String: JSONValue]) {
        switch members["status"]?.string {
        case "pending": self = .pending
        case "succeeded":
            guard let key = members["credentialKey"]?.string else { return nil }
            self = .succeeded(CredentialKey(key))
        case "failed": self = .failed(error: ErrorCode.read(members["error"]))
        default: return nil
        }
    }
}
