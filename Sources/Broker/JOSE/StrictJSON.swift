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

extension String {
    /// Tells whether both are the same bytes. `==` also takes a Kelvin sign for a K, which identifiers must not.
    package func isExactly(_ other: String) -> Bool { utf8.elementsEqual(other.utf8) }

    package func isExactly(_ other: Substring) -> Bool { utf8.elementsEqual(other.utf8) }

    /// The same, but for the case of ASCII letters. `lowercased()` also makes a k of a Kelvin sign.
    package func isExactly(_ other: String, inAnyCase: Bool) -> Bool {
        guard inAnyCase else { return isExactly(other) }
        return utf8.elementsEqual(other.utf8) { $0 == $1 || ($0 | 0x20 == $1 | 0x20 && ($0 | 0x20).isASCIILetter) }
    }
}

extension [String] {
    /// Tells whether one of them is the same bytes.
    package func contains(exactly text: String) -> Bool { contains { $0.isExactly(text) } }
}

extension [String: JSONValue] {
    /// The member of exactly this name: a dictionary also finds one that Unicode takes for the same.
    package subscript(exactly name: String) -> JSONValue? {
        guard let index = index(forKey: name), self[index].key.isExactly(name) else { return nil }
        return self[index].value
    }
}

extension UInt8 {
    fileprivate var isASCIILetter: Bool { (0x61...0x7A).contains(self | 0x20) }
}
