public import Formats

extension OAuthProfile {
    /// The places of a token response's members. The defaults are those of RFC 6749 § 5.1 and § 5.2.
    public struct ResponseShape: Sendable {
        /// Must hold visible ASCII, or the answer is no token response.
        public var accessToken = JSONPointer.member("access_token")
        /// Counts as absent where it is not visible ASCII.
        public var refreshToken = JSONPointer.member("refresh_token")
        /// An answer without it means `Bearer`.
        public var tokenType = JSONPointer.member("token_type")
        /// Seconds from now, as a number or as text. Looked at where `expiresAt` finds nothing to read.
        public var expiresIn = JSONPointer.member("expires_in")
        /// Absolute: Unix seconds, Unix milliseconds or ISO 8601. `nil`: the provider sends none.
        public var expiresAt: JSONPointer?
        /// The meaning of an answer without an expiry, or with 0. `nil`: it is unknown, which is warned of.
        public var lifetime: Lifetime?
        /// Text, or a list of texts.
        public var scope = JSONPointer.member("scope")
        /// Checked where the entry has `openid`.
        public var idToken = JSONPointer.member("id_token")
        /// A member here is a failure whatever the status, unless it is null, false, empty or 0.
        public var error = JSONPointer.member("error")
        /// The place of the provider's words about the error. Entries may set it; nothing reads it.
        public var errorDescription = JSONPointer.member("error_description")
        /// An answer in which this does not hold is a failure, whatever its status.
        public var failureUnless: Condition?

        /// Text before the answer's JSON, which is passed over. `nil`: the answer begins at once.
        public var prefix: String?

        /// A member of the answer and the value that it must have.
        public struct Condition: Sendable {
            /// The member's place; absent, the condition does not hold.
            public let pointer: JSONPointer
            /// Text, a number, true or false: compared with its type.
            public let equals: JSONValue
        }

        /// The lifetime of access tokens whose answers tell none.
        public enum Lifetime: Sendable, Equatable {
            /// Without an end, so that no warning is due.
            case never
            /// From the answer's arrival; at most a hundred years.
            case seconds(Int64)
        }
    }
}
