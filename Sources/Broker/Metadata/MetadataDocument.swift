import Formats

/// The members of a metadata document. An absent one and `null` are the same; one of a wrong type is an error.
struct MetadataDocument {
    let members: [String: JSONValue]
    let allowInsecure: Bool

    private func value(_ name: String) -> JSONValue? {
        members[name].flatMap { $0 == .null ? nil : $0 }
    }

    func text(_ name: String) throws(MetadataError) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.string else { throw .malformed(member: name) }
        return text
    }

    /// RFC 8414 § 2: an https address. `StrictURL` refuses what readers of URLs differ about.
    func address(_ name: String) throws(MetadataError) -> String? {
        guard let text = try text(name) else { return nil }
        guard let url = StrictURL(text), allowInsecure || url.text.hasPrefix("https://") else {
            throw .addressNotAllowed(member: name)
        }
        return url.text
    }

    /// The members of a member; none where it is absent.
    func document(_ name: String) throws(MetadataError) -> MetadataDocument {
        switch value(name) {
        case nil: return MetadataDocument(members: [:], allowInsecure: allowInsecure)
        case .object(let members)?: return MetadataDocument(members: members, allowInsecure: allowInsecure)
        default: throw .malformed(member: name)
        }
    }

    func flag(_ name: String) throws(MetadataError) -> Bool {
        switch value(name) {
        case nil: return false
        case .bool(let flag)?: return flag
        default: throw .malformed(member: name)
        }
    }

    func texts(_ name: String) throws(MetadataError) -> [String]? {
        guard let value = value(name) else { return nil }
        guard case .array(let values) = value else { throw .malformed(member: name) }
        let texts = values.compactMap(\.string)
        guard texts.count == values.count else { throw .malformed(member: name) }
        return texts
    }
}
