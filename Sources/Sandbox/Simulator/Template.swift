/// Texts and JSON with `{name}` in them, filled when an answer is made or a request is checked.
///
/// A JSON text that is nothing but one name takes that value's own type. A member whose value is absent is left out.
struct Template {
    private let values: [String: JSON]

    init(_ values: [String: JSON?]) {
        self.values = values.compactMapValues { $0 }
    }

    /// With other values in place of some; `nil` takes one away.
    func adding(_ others: [String: JSON?]) -> Template {
        Template(values.mapValues(Optional.some).merging(others) { $1 })
    }

    /// `nil` where a value is absent.
    func text(_ template: String) -> String? {
        var text = ""
        var rest = Substring(template)
        while let open = rest.firstIndex(of: "{") {
            guard let close = rest[open...].firstIndex(of: "}") else { break }
            guard let value = values[String(rest[rest.index(after: open)..<close])]?.text else { return nil }
            text += rest[..<open] + value
            rest = rest[rest.index(after: close)...]
        }
        return text + rest
    }

    func json(_ template: JSON) -> JSON? {
        switch template {
        case .string(let text):
            if text.hasPrefix("{"), text.hasSuffix("}") { return values[String(text.dropFirst().dropLast())] }
            return self.text(text).map { .string($0) }
        case .array(let values): return .array(values.compactMap { json($0) })
        case .object(let members): return .object(members.compactMapValues { json($0) })
        case .null, .bool, .integer, .number: return template
        }
    }
}
