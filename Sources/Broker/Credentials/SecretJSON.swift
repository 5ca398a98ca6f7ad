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
