/// Reads JSON of strangers who may gain from being misread.
package enum StrictJSON {
    package enum Fault: Error, Equatable, Sendable {
        /// No JSON, or JSON beyond the bounds of `JSONValue(json:)`.
        case malformed
        case notAnObject
        /// We take the first of two members of a name; whoever wrote them may count on another reader taking the
        /// other (RFC 8725 § 2.4, RFC 7515 § 4, RFC 7519 § 4).
        case memberRepeated
    }

    /// Any JSON in which no object, however deep, has a name twice. Names that Unicode takes for the same are the
    /// same here: another reader may do so.
    package static func value(_ json: [UInt8]) throws(Fault) -> JSONValue {
        let (value, hasRepeatedMember) = json.withUnsafeBufferPointer { bytes in
            var reader = JSONReader(bytes)
            let value = reader.document()
            return (value, reader.hasRepeatedMember)
        }
        guard let value else { throw .malformed }
        guard !hasRepeatedMember else { throw .memberRepeated }
        return value
    }

    package static func object(_ json: [UInt8]) throws(Fault) -> [String: JSONValue] {
        guard case .object(let members) = try value(json) else { throw .notAnObject }
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
