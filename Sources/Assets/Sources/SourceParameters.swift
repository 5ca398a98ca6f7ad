public import Formats

/// A reason why a source's parameters are refused. Names the parameter, never its value.
public enum SourceParameterFault: Error, Sendable, Hashable {
    /// The source type has no such property. The caller's word: hostile text.
    case unknown(String)
    case missing(String)
    case notOfKind(String, SourceProperty.Kind)
    case malformed(String, SourceProperty.Form)
}

extension SourceType {
    /// Reads the parameters of a source as a caller sent them. A `null` counts as not given; defaults are not filled in.
    ///
    /// Text counts as what it spells where a flag or a number is wanted: forms and command lines have nothing but text.
    public func parameters(
        from members: [String: JSONValue]
    ) throws(SourceParameterFault) -> [String: ParameterValue] {
        let given = members.filter { $0.value != .null }
        let names = properties.map(\.name)
        if let unknown = given.keys.filter({ !names.contains(exactly: $0) }).min() { throw .unknown(unknown) }
        var parameters: [String: ParameterValue] = [:]
        for property in properties {
            if let value = given[property.name] {
                parameters[property.name] = try property.value(of: value)
            } else if property.isRequired {
                throw .missing(property.name)
            }
        }
        return parameters
    }
}

extension SourceProperty {
    fileprivate func value(of json: JSONValue) throws(SourceParameterFault) -> ParameterValue {
        guard let value = kind.value(of: json) else { throw .notOfKind(name, kind) }
        guard form.admits(value) else { throw .malformed(name, form) }
        return value
    }
}

extension SourceProperty.Kind {
    fileprivate func value(of json: JSONValue) -> ParameterValue? {
        switch (self, json) {
        case (.string, .string(let text)): .string(text)
        case (.boolean, .bool(let flag)): .boolean(flag)
        case (.boolean, .string("true")): .boolean(true)
        case (.boolean, .string("false")): .boolean(false)
        case (.integer, .number(let number)): Int(exactly: number).map { .integer($0) }
        case (.integer, .string(let text)): Self.integer(text).map { .integer($0) }
        default: nil
        }
    }

    /// Decimal digits alone: `Int` also reads a plus sign.
    private static func integer(_ text: String) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }
}

extension SourceProperty.Form {
    fileprivate func admits(_ value: ParameterValue) -> Bool {
        switch (self, value) {
        case (.within(let bounds), .integer(let number)): bounds.contains(number)
        case (.any, .boolean), (.any, .integer): true
        case (_, .string(let text)): Self.isPlain(text) && admits(text)
        default: false
        }
    }

    private func admits(_ text: String) -> Bool {
        switch self {
        case .any: true
        case .webAddress: WebAddress(text) != nil
        case .repository: Self.isRepository(text)
        case .gitReference: Self.isReference(text)
        case .within: false
        }
    }

    private static func isPlain(_ text: String) -> Bool {
        (1...2048).contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    private static func isRepository(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return parts.count == 2 && isName(parts[0], most: 39) && isName(parts[1], most: 100)
    }

    /// Also no `.` and `..`, which would lead to another address.
    private static func isName(_ name: Substring.UTF8View, most: Int) -> Bool {
        (1...most).contains(name.count) && name.contains { $0 != UInt8(ascii: ".") }
            && name.allSatisfy { $0.isASCIILetterOrDigit || "-._".utf8.contains($0) }
    }

    /// The rules of git-check-ref-format that keep a name from being something else in an address or to git.
    private static func isReference(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return text.utf8.count <= 255 && parts.allSatisfy { $0.first != nil && $0.first != UInt8(ascii: ".") }
            && !text.utf8.contains { " ~^:?*[\\".utf8.contains($0) }
            && !zip(text.utf8, text.utf8.dropFirst()).contains { $0 == UInt8(ascii: ".") && $1 == UInt8(ascii: ".") }
    }
}
