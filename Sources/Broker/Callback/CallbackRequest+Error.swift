import Catalog
import Formats
import Secrets

/// A provider's error in place of a code, untrusted and as it came.
struct ProvidersError {
    /// The texts that may be its stable name, the standard's first; never empty.
    let names: [String]
    /// For people: any text.
    let description: String?

    /// The stable name of it for callers; `nil` where it said none that could be one and holds no secret.
    func code(hiding hidden: HiddenValues) -> String? {
        names.lazy.compactMap(hidden.code).first { !$0.utf8.allSatisfy { $0 < 0x3A } }
    }
}

extension CallbackRequest {
    /// The provider's error (RFC 6749 § 4.1.2.1), also under the entry's own names.
    ///
    /// - Parameter profile: `nil` where no flow is known, and so no entry.
    func error(to profile: OAuthProfile?) -> ProvidersError? {
        var names = ["error"]
        // Beside a code they may say that all is well.
        if case .absent = self[profile?.callbackCode ?? "code"] { names += profile?.callbackError.error ?? [] }
        let said = names.compactMap { words([$0]) }
        guard !said.isEmpty else { return nil }
        return ProvidersError(
            names: said, description: words(["error_description"] + (profile?.callbackError.description ?? [])))
    }

    /// The secrets that came along, which another parameter may repeat.
    var hidden: HiddenValues {
        var hidden = HiddenValues()
        for pair in pairs where pair.name.isExactly("state") || Self.mayHoldCode(pair.name) {
            hidden.add(State(pair.value))
        }
        return hidden
    }

    /// Tells whether a parameter of this name may be a provider's own for the code (`auth_code`, `authCode`), which is
    /// not known before the flow is.
    static func mayHoldCode(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasSuffix("code") && !name.hasPrefix("error")
    }

    /// The provider's error as it came, and its description.
    func said(_ error: ProvidersError, hiding hidden: HiddenValues) -> Reason {
        let description: Reason = error.description.map { ": \(quoted: hidden.redacted($0))" } ?? ""
        return "\(quoted: hidden.redacted(error.names[0]))\(description)"
    }
}
