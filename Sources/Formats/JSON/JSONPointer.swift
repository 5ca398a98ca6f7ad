/// Points at a member of a JSON value (RFC 6901 § 3, § 4). Catalogs name members of providers' answers by it.
public struct JSONPointer: Hashable, Sendable, CustomStringConvertible {
    /// The pointer as it was written, escapes included.
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

    /// The pointer to a member of the top level, by its name unescaped.
    public static func member(_ name: String) -> JSONPointer { JSONPointer(name: name) }

    private init(name: String) {
        tokens = [name]
        description = "/" + name.map { $0 == "~" ? "~0" : $0 == "/" ? "~1" : String($0) }.joined()
    }

    /// The value that it points at; `nil` where there is none. JSON's `null` counts as absent, and `-` (the place
    /// behind an array's end) points at nothing.
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
