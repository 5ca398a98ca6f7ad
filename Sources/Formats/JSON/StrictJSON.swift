/// A reason why a text is not the JSON that was wanted.
package enum JSONFault: Error, Equatable, Sendable {
    /// No JSON, or JSON beyond the bounds of the rules.
    case malformed
    /// JSON, but a value of another kind.
    case notAnObject
    /// An object, however deep, has a name twice.
    case memberRepeated
}

/// Reads JSON of strangers who may gain from its being misread: by `JSONRules.strict`.
package enum StrictJSON {
    /// Reads one value; throws `malformed` or `memberRepeated`.
    package static func value(_ json: [UInt8]) throws(JSONFault) -> JSONValue {
        try JSONValue(json: json, by: .strict)
    }

    /// Reads one object and gives its members; throws `notAnObject` for every other kind of value.
    package static func object(
        _ json: [UInt8], by rules: JSONRules = .strict
    ) throws(JSONFault) -> [String: JSONValue] {
        guard case .object(let members) = try JSONValue(json: json, by: rules) else { throw .notAnObject }
        return members
    }
}

extension [String: JSONValue] {
    /// The member of exactly this name: a dictionary also finds one that Unicode takes for the same.
    package subscript(exactly name: String) -> JSONValue? {
        guard let index = index(forKey: name), self[index].key.isExactly(name) else { return nil }
        return self[index].value
    }
}
