import Catalog

/// A caller's hints whom to sign in, and how (OpenID Connect Core § 3.1.2.1). Checked, and for one address: a hint
/// may be somebody's mail address, and is kept nowhere.
struct SignInHints: Sendable {
    /// `login_hint` and `prompt`, as far as they were given.
    let parameters: [(name: String, value: String)]

    init(_ request: AuthorizeRequest, for profile: OAuthProfile) throws(AuthorizeError) {
        let given = [("loginHint", "login_hint", request.loginHint), ("prompt", "prompt", request.prompt)]
        var parameters: [(name: String, value: String)] = []
        for (member, name, value) in given {
            guard let value else { continue }
            // Sent where it means nothing, it would seem to have an effect.
            guard profile.hints else { throw .hintsNotTaken(member: member) }
            guard (1...Self.mostBytes).contains(value.utf8.count),
                value.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
            else { throw .hintMalformed(member: member) }
            parameters.append((name, value))
        }
        self.parameters = parameters
    }

    private static let mostBytes = 2048
}
