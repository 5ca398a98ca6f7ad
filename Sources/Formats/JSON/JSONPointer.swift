/// Points at a member of a JSON value (RFC 6901).
public struct JSONPointer: Hashable, Sendable, CustomStringConvertible {
    public let description: String
    private let tokens: [String]

    /// `nil` unless empty or starting with `/`, with `~` only in `~0` and `~1` (RFC 6901 § 3).
    public init?(_ text: String) {
        description = text
        if text.isEmpty {
            tokens = []
            return
        }
        guard text.hasPrefix("/") else { return nil }
        var tokens: [String] = []
        for token in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            var unescaped = ""
            var rest = token[...]
            while let tilde = rest.firstIndex(of: "~") {
                unescaped += rest[..<tilde]
                rest = rest[rest.index(after: tilde)...]
                guard let escape = rest.popFirst(), escape == "0" || escape == "1" else { return nil }
                unescaped += escape == "0" ? "~" : "/"
            }
            tokens.append(unescaped + rest)
        }
        self.tokens = tokens
    }

    /// A member of the top level, named as it is.
    public static func member(_ name: String) -> JSONPointer { JSONPointer(name: name) }

    private init(name: String) {
        tokens = [name]
        description = "/" + name.map { $0 == "~" ? "~0" : $0 == "/" ? "~1" : String($0) }.joined()
    }

    /// The value there, or `nil`. JSON's `null` counts as absent.
    public func value(in document: JSONValue) -> JSONValue? {
        var value = document
        for token in tokens {
            switch value {
            case .object(let members):
                guard let member = members[token] else { return nil }
                value = member
            case .array(let elements):
                guard let index = Int(token), elements.indices.contains(index), String(index) == token else {
                    return nil
                }
                value = elements[index]
            default: return nil
            }
        }
        return value == .null ? nil : value
    }
}
