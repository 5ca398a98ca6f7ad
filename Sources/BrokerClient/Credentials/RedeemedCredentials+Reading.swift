import Formats
import Secrets

extension RedeemedCredentials {
    /// Reads the answer of a redemption or a refresh. Throws where a member that counts is of another form: a token that
    /// is taken for what it is not is worse than none.
    init(_ members: [String: JSONValue]) throws(Malformed) {
        accessToken = try Self.token(members["accessToken"])
        refreshToken = try Self.optional(members["refreshToken"], Self.token)
        idToken = try Self.optional(members["idToken"], Self.token)
        // A scheme of `Authorization` is a token (RFC 9110 § 11.1).
        tokenType = try Self.text(members["tokenType"], HeaderText.isName)
        sourceType = try Self.text(members["sourceType"], HeaderText.isName)
        // RFC 6749 § 3.3 allows visible ASCII alone. It is for people here, so any text will do.
        scope = try Self.optional(members["scope"]) { value throws(Malformed) in
            guard let text = value.string else { throw Malformed() }
            return text
        }
        expiresAt = try Self.optional(members["expiresAt"]) { value throws(Malformed) in
            guard let timestamp = value.timestamp else { throw Malformed() }
            return timestamp
        }
        extras = try Self.extras(members["extras"])
        warnings = try Self.warnings(members["warnings"])
    }

    struct Malformed: Error {}

    private static func optional<Value>(
        _ value: JSONValue?, _ read: (JSONValue) throws(Malformed) -> Value
    ) throws(Malformed) -> Value? {
        guard let value, value != .null else { return nil }
        return try read(value)
    }

    /// RFC 6749 § A.12, § A.17: visible ASCII, so that it can stand in a header.
    private static func token<Use>(_ value: JSONValue?) throws(Malformed) -> Secret<Use> {
        Secret(
            try text(value) { text in
                text.utf8.count <= longestToken && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
            })
    }

    private static let longestToken = 64 * 1024

    private static func text(_ value: JSONValue?, _ isSound: (String) -> Bool) throws(Malformed) -> String {
        guard let text = value?.string, !text.isEmpty, isSound(text) else { throw Malformed() }
        return text
    }

    private static func extras(_ value: JSONValue?) throws(Malformed) -> CredentialExtras {
        switch value {
        case nil, .null?: return CredentialExtras([:])
        case .object(let members)?: return CredentialExtras(members)
        default: throw Malformed()
        }
    }

    private static func warnings(_ value: JSONValue?) throws(Malformed) -> [String] {
        guard case .array(let values) = value ?? .array([]) else { throw Malformed() }
        return values.compactMap { ErrorCode.read($0) }
    }
}
