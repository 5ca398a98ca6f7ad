import Foundation
public import Secrets

/// A tenant of the product that Cloakroom serves, matching `pattern`.
public struct TenantID: Hashable, Sendable, CustomStringConvertible {
    /// For sentences that say what is wanted.
    package static let pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

    public let description: String

    public init?(_ text: some StringProtocol) {
        let allowed = { (byte: UInt8) in byte.isASCIILetterOrDigit || byte == 0x2E || byte == 0x5F || byte == 0x2D }
        guard let first = text.utf8.first, first.isASCIILetterOrDigit, text.utf8.count <= 64,
            text.utf8.allSatisfy(allowed)
        else { return nil }
        description = String(text)
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

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
public struct Timestamp: Hashable, Sendable, Comparable {
    public let milliseconds: Int64

    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    public func adding(seconds: Int64) -> Timestamp {
        Timestamp(milliseconds: milliseconds + seconds * 1000)
    }

    /// The beginning of a day in UTC; `nil` unless `text` is a date such as `2027-02-16`.
    init?(date text: String) {
        guard text.utf8.count == 10, let date = try? Date("\(text)T00:00:00Z", strategy: .iso8601) else { return nil }
        milliseconds = Int64(date.timeIntervalSince1970 * 1000)
    }
}

/// What kinds of secret text there are; each is a type of its own.
public enum Use {
    public enum State {}
    public enum AuthorizationCode {}
    public enum CodeVerifier {}
    public enum CredentialKey {}
    public enum ExchangeVerifier {}
    public enum ClientSecret {}
    public enum AccessToken {}
    public enum RefreshToken {}
    /// A token to revoke, of either type.
    public enum RevokedToken {}
    public enum IDToken {}
    public enum BindingCookie {}
    public enum Nonce {}
}

public typealias State = Secret<Use.State>
public typealias AuthorizationCode = Secret<Use.AuthorizationCode>
public typealias CodeVerifier = Secret<Use.CodeVerifier>
public typealias CredentialKey = Secret<Use.CredentialKey>
public typealias ExchangeVerifier = Secret<Use.ExchangeVerifier>
public typealias ClientSecret = Secret<Use.ClientSecret>
public typealias AccessToken = Secret<Use.AccessToken>
public typealias RefreshToken = Secret<Use.RefreshToken>
public typealias RevokedToken = Secret<Use.RevokedToken>
public typealias IDToken = Secret<Use.IDToken>
public typealias Nonce = Secret<Use.Nonce>
public typealias BindingCookie = Secret<Use.BindingCookie>

extension UInt8 {
    var isASCIILetterOrDigit: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }
}
