public import Formats

extension OAuthProfile {
    /// Where the members of a token response are, if not where RFC 6749 § 5.1 has them.
    public struct ResponseShape: Sendable {
        public var accessToken = JSONPointer.member("access_token")
        public var refreshToken = JSONPointer.member("refresh_token")
        public var tokenType = JSONPointer.member("token_type")
        public var expiresIn = JSONPointer.member("expires_in")
        /// Absolute: Unix seconds, Unix milliseconds or ISO 8601. `nil`: the provider sends none.
        public var expiresAt: JSONPointer?
        /// What an answer without an expiry, or with 0, means.
        public var lifetime: Lifetime?
        public var scope = JSONPointer.member("scope")
        public var idToken = JSONPointer.member("id_token")
        public var error = JSONPointer.member("error")
        public var errorDescription = JSONPointer.member("error_description")
        /// An answer in which this does not hold is a failure, whatever its status.
        public var failureUnless: Condition?

        public struct Condition: Sendable {
            public let pointer: JSONPointer
            public let equals: JSONValue
        }

        public enum Lifetime: Sendable, Equatable {
            case never
            case seconds(Int64)
        }
    }
}
