public import Formats

extension OAuthProfile {
    /// A fact of an entry that neither the provider's documentation nor a second source has confirmed. Raw values are
    /// the catalog's.
    public enum UnverifiedFact: String, Sendable, CaseIterable {
        /// `clientAuthentication`: the likely way, which the provider may refuse.
        case clientAuthentication
        /// `pkce`.
        case pkce
        /// The names of the scopes, or what stands between them. Which of them are asked for is the entry's choice.
        case scopes
        /// `refreshToken`, and how a refresh is asked for.
        case refreshToken
        /// The address that revokes, and how it is asked.
        case revocation
        /// `tokenRequestFormat`, and what `tokenParameters` sends besides.
        case tokenRequest
        /// `response`, how long a token lasts whose answer does not say it, and the words of `reauthorizationErrors`.
        case tokenResponse
        /// The addresses of `regions`.
        case regions
        /// `issuer`.
        case issuer
        /// What the callback tells: `tokenOrigin`, `learned` and `callbackSignature`.
        case callback
    }

    /// The client secret of a provider that knows none: a JWT under the client's key, made for each request (Apple).
    public struct MintedSecret: Sendable {
        /// `iss`; may hold the entry's parameters.
        public let issuer: ValueTemplate
        /// `aud`.
        public let audience: String
    }

    /// A value that the provider tells, and wants to be told again: kept as an extra of its name, and taken among the
    /// parameters of a refresh or a revocation.
    public struct LearnedValue: Sendable {
        /// The place that a value is learned from.
        public enum Source: Sendable {
            /// A parameter of the callback. Untrusted: whoever has the state may have sent it.
            case callback(String)
            /// A member of the token endpoint's answer.
            case answer(JSONPointer)
        }

        /// The name of the extra, the parameter and the placeholder.
        public let name: String
        /// Where it comes from.
        public let source: Source
        /// Text before the value, such as `https://`, that is no part of the placeholder's; empty where there is none.
        public let prefix: String
        /// Matches the whole value, without the prefix.
        public let pattern: Pattern
        /// A callback without it is refused; an answer without it is warned of.
        public let required: Bool

        /// The value in what the provider sent; `nil` where it is not of the pattern.
        package func value(in text: String) -> String? {
            guard text.hasPrefix(prefix) else { return nil }
            let value = String(text.dropFirst(prefix.count))
            return pattern.matches(value) ? value : nil
        }

        /// The callback parameter that tells it, where one does.
        package var callbackParameter: String? { if case .callback(let name) = source { name } else { nil } }
    }

    /// The learned values that a refresh cannot do without.
    package var learnedForRefresh: [LearnedValue] {
        learned(in: addresses.sets.flatMap { ($0.refresh ?? $0.token)?.placeholders ?? [] }, and: refreshParameters)
    }

    /// The same of a revocation.
    package var learnedForRevocation: [LearnedValue] {
        let headers = revocation.headers.map { (name: $0.name, value: Optional($0.value)) }
        return learned(
            in: addresses.sets.flatMap { $0.revocation?.placeholders ?? [] }, and: revocation.parameters + headers)
    }

    private func learned(
        in names: [String], and parameters: [(name: String, value: ValueTemplate?)]
    ) -> [LearnedValue] {
        if learned.isEmpty { return [] }
        let used = Set(names + parameters.flatMap { $0.value?.names ?? [] })
        return learned.filter { used.contains($0.name) }
    }
}
