import Formats

/// JSON that may hold a token or a key. It prints nothing of itself.
public struct SecretJSON: Sendable {
    fileprivate let value: JSONValue

    init(_ value: JSONValue) {
        self.value = value
    }

    /// Hands the value to `use`, and nowhere else.
    func expose<Result, Failure: Error>(_ use: (JSONValue) throws(Failure) -> Result) throws(Failure) -> Result {
        try use(value)
    }

    /// This object with the members of another that it lacks; anything else as it is.
    func completed(by other: SecretJSON) -> SecretJSON {
        guard case (.object(let members), .object(let others)) = (value, other.value) else { return self }
        return SecretJSON(.object(members.merging(others) { own, _ in own }))
    }
}

extension SecretJSON: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Shows nothing, not even the kind of value.
    public var description: String { "[redacted JSON]" }
    /// The same as `description`.
    public var debugDescription: String { description }
    /// Empty, so that `dump` shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension JSONWriter {
    mutating func object(of members: [String: SecretJSON]) throws {
        try value(.object(members.mapValues(\.value)))
    }
}
