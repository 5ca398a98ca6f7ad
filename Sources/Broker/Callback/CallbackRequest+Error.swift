import Catalog

/// What a provider said instead of a code.
struct ProvidersError {
    /// The stable name of it for callers; `nil` where it said none that could be one.
    let code: String?
    /// For people: any text.
    let words: String
    let description: String?
}

extension CallbackRequest {
    /// The provider's error (RFC 6749 § 4.1.2.1), also under the entry's own names.
    ///
    /// - Parameter profile: `nil` where no flow is known, and so no entry.
    func error(to profile: OAuthProfile?) -> ProvidersError? {
        var names = ["error"]
        // Beside a code they may say that all is well.
        if case .absent = self["code"] { names += profile?.callbackError.error ?? [] }
        let said = names.compactMap { words([$0]) }
        return said.first.map { first in
            ProvidersError(
                code: said.lazy.compactMap(ProviderText.code).first { !$0.utf8.allSatisfy { $0 < 0x3A } }, words: first,
                description: words(["error_description"] + (profile?.callbackError.description ?? [])))
        }
    }

    /// The provider's error as it came, and what it said of it, without the code and the state.
    func said(_ error: ProvidersError) -> Reason {
        let secrets = ["code", "state"].compactMap { words([$0]) }
        let description: Reason = error.description.map { ": \(quoted: $0.hiding(secrets))" } ?? ""
        return "\(quoted: error.words.hiding(secrets))\(description)"
    }
}
