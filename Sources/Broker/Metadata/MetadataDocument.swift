import Formats

/// The members of a metadata document. An absent one, `null`, and one of the wrong form are the same; the last is
/// noted.
///
/// Nothing that is not needed may stop a flow: many documents in use have an empty address or a flag in quotation
/// marks. What is needed and not there is missed where it is needed.
final class MetadataDocument {
    private let members: [String: JSONValue]
    private let allowInsecure: Bool
    /// Behind the names of members, for messages.
    private let place: String
    private(set) var faults: [MetadataFault] = []

    init(members: [String: JSONValue], allowInsecure: Bool, place: String = "") {
        self.members = members
        self.allowInsecure = allowInsecure
        self.place = place
    }

    private func value(_ name: String) -> JSONValue? {
        members[name].flatMap { $0 == .null ? nil : $0 }
    }

    /// Nothing, and a note that something of the wrong form was there.
    private func absent<Value>(_ name: String, _ kind: MetadataFault.Kind = .malformed) -> Value? {
        faults.append(MetadataFault(member: place + name, kind: kind))
        return nil
    }

    func text(_ name: String) -> String? {
        guard let value = value(name) else { return nil }
        return value.string ?? absent(name)
    }

    /// RFC 8414 § 2: an https address. `StrictURL` refuses what readers of URLs differ about.
    func address(_ name: String) -> String? {
        guard let text = text(name) else { return nil }
        guard let url = StrictURL(text), allowInsecure || url.text.hasPrefix("https://") else {
            return absent(name, .noAddress)
        }
        return url.text
    }

    /// The members of a member; none where it is absent.
    func document(_ name: String) -> MetadataDocument {
        var inner: [String: JSONValue] = [:]
        switch value(name) {
        case nil: break
        case .object(let members)?: inner = members
        default: faults.append(MetadataFault(member: place + name, kind: .malformed))
        }
        return MetadataDocument(members: inner, allowInsecure: allowInsecure, place: "\(name).")
    }

    func flag(_ name: String) -> Bool {
        switch value(name) {
        case nil: return false
        case .bool(let flag)?: return flag
        default: return absent(name) ?? false
        }
    }

    /// RFC 8414 § 3.2: a list without elements is left out, so an empty one says nothing either.
    func texts(_ name: String) -> [String]? {
        guard let value = value(name) else { return nil }
        guard case .array(let values) = value else { return absent(name) }
        let texts = values.compactMap(\.string)
        guard texts.count == values.count else { return absent(name) }
        return texts.isEmpty ? nil : texts
    }
}

/// A member of a metadata document that has the wrong form, and therefore counts as absent.
struct MetadataFault: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        case malformed
        /// Not https, with user information or a fragment, or not an address that all read alike.
        case noAddress
    }

    /// Named by us, never by the document.
    let member: String
    let kind: Kind
}
