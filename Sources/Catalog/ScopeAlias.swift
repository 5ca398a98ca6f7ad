/// One name of a scope that is asked for, and the names under which it may come back granted.
///
/// One `*` in the asked name stands for any text, and one in another name for the same; where the asked name has none,
/// for any text.
public struct ScopeAlias: Sendable {
    let asked: ScopePattern
    let granted: [ScopePattern]
}

/// A scope's name with at most one `*` in it. Letter case does not count: no provider tells two scopes apart by it.
struct ScopePattern: Sendable {
    private let prefix: String
    /// `nil`: no `*`.
    private let suffix: String?

    init?(_ text: String) {
        let parts = Scopes.folded(text).split(separator: "*", omittingEmptySubsequences: false).map(String.init)
        guard Scopes.isToken(text), parts.count <= 2 else { return nil }
        prefix = parts[0]
        suffix = parts.count == 2 ? parts[1] : nil
    }

    /// The text that `*` stands for in `scope`, empty without one; `nil` where it is another scope.
    func match(_ scope: String) -> String? {
        guard let suffix else { return scope == prefix ? "" : nil }
        guard scope.utf8.count > prefix.utf8.count + suffix.utf8.count, scope.hasPrefix(prefix),
            scope.hasSuffix(suffix)
        else { return nil }
        return String(scope.dropFirst(prefix.count).dropLast(suffix.count))
    }

    var hasWildcard: Bool { suffix != nil }

    func filled(with text: String) -> String { prefix + (suffix.map { text + $0 } ?? "") }
}

extension OAuthProfile {
    /// Tells whether all that was asked for is among what was granted, whatever the provider calls it.
    ///
    /// Offline access is often left out of the scopes though it was granted: its absence shows in the refresh token.
    package func isGranted(_ asked: [String], in granted: String) -> Bool {
        let granted = Set(Scopes.split(granted).map(Scopes.folded))
        return asked.allSatisfy { asked in
            Self.offlineScopes.contains(asked) || isGranted(Scopes.folded(asked), in: granted)
        }
    }

    private func isGranted(_ asked: String, in granted: Set<String>) -> Bool {
        granted.contains(asked)
            || scopeAliases.contains { alias in
                guard let text = alias.asked.match(asked) else { return false }
                return alias.granted.contains { name in
                    if alias.asked.hasWildcard || !name.hasWildcard { return granted.contains(name.filled(with: text)) }
                    return granted.contains { name.match($0) != nil }
                }
            }
    }
}
