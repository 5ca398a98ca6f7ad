/// Lists of scopes (RFC 6749 § 3.3).
package enum Scopes {
    /// Visible ASCII without `"` and `\`.
    package static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 256
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }
    }

    /// A scope as scopes are compared: providers change the case of letters.
    package static func folded(_ scope: String) -> String { scope.lowercased() }

    /// Both lists, each scope once, in order.
    package static func union(_ first: [String], _ second: [String]) -> [String] {
        second.reduce(into: first) { scopes, scope in if !scopes.contains(scope) { scopes.append(scope) } }
    }

    /// The scopes in a provider's answer, whether it separates them by white space or commas.
    package static func split(_ text: String) -> [String] {
        text.utf8.split { $0 == 0x20 || $0 == UInt8(ascii: ",") || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
            .map { String(Substring($0)) }
    }
}
