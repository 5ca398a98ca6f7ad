import Formats
import HTTPService
import HTTPTypes

/// The members of a JSON object that a caller sent, read one by one. What is wrong is thrown as `invalid_request` that
/// names the member, never its value.
struct BodyMembers {
    private let members: [String: JSONValue]
    /// The object's own place in the body, for messages; empty for the body itself.
    private let place: String
    private let ignoresCase: Bool

    /// The longest text that is kept, in bytes.
    static let longestText = 2048

    /// - Parameter ignoringCase: names are found whatever the case of their letters.
    init(_ members: [String: JSONValue], ignoringCase: Bool = false, at place: String = "") {
        self.members = members
        self.place = place
        ignoresCase = ignoringCase
    }

    /// A member's name as messages have it.
    func path(_ name: String) -> String { place.isEmpty ? name : "\(place).\(name)" }

    /// `nil` where it is absent or `null`.
    func value(_ name: String) throws(Problem) -> JSONValue? {
        let found = ignoresCase ? try valueInAnyCase(name) : members[exactly: name]
        return found == .null ? nil : found
    }

    private func valueInAnyCase(_ name: String) throws(Problem) -> JSONValue? {
        let found = members.filter { $0.key.isExactly(name, inAnyCase: true) }
        guard found.count <= 1 else { throw .invalidRequest("the member \"\(path(name))\" comes twice") }
        return found.first?.value
    }

    /// A text of `length` Unicode scalars, 2 KiB at most.
    func text(_ name: String, _ length: ClosedRange<Int> = 1...longestText) throws(Problem) -> String? {
        guard let value = try value(name) else { return nil }
        guard let text = value.string, text.utf8.count <= Self.longestText, length.contains(text.unicodeScalars.count)
        else {
            throw .invalidRequest(
                "the member \"\(path(name))\" must be text of \(length.lowerBound) to \(length.upperBound) characters")
        }
        return text
    }

    func flag(_ name: String) throws(Problem) -> Bool? {
        guard let value = try value(name) else { return nil }
        guard case .bool(let flag) = value else {
            throw .invalidRequest("the member \"\(path(name))\" must be true or false")
        }
        return flag
    }

    func number(_ name: String, _ bounds: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let value = try value(name) else { return nil }
        guard case .number(let number) = value, let whole = Int(exactly: number), bounds.contains(whole) else {
            throw .invalidRequest(
                "the member \"\(path(name))\" must be a whole number from \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return whole
    }

    func object(_ name: String) throws(Problem) -> BodyMembers? {
        guard let value = try value(name) else { return nil }
        guard case .object(let members) = value else {
            throw .invalidRequest("the member \"\(path(name))\" must be an object")
        }
        return BodyMembers(members, ignoringCase: ignoresCase, at: path(name))
    }

    func missing(_ name: String) -> Problem { .invalidRequest("the member \"\(path(name))\" is missing") }

    /// As they came, for those who know their names.
    var all: [String: JSONValue] { members }
}

extension BodyMembers {
    /// Throws where one of these is set: a limit or a schedule that is ignored would cost money.
    func refuse(_ names: [String]) throws(Problem) {
        for name in names where try value(name) != nil {
            throw Problem(
                status: .badRequest, code: "unsupported_setting",
                detail: "the setting \"\(path(name))\" cannot be kept here; leave it out")
        }
    }

    /// Settings that would bind the service.
    static let binding = ["budget", "currencyBudget", "autoUpdate"]
}
